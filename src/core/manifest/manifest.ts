import { z } from 'zod'
import { firmwares } from '../spec/options.ts'
import { hypervisors, imageFormats } from '../image/formats.ts'

const source = z.strictObject({ location: z.string(), ref: z.string(), commit: z.string() })
const status = z.enum(['passed', 'failed', 'not-run'])

const boot = z.strictObject({
  status,
  firmware: z.enum(firmwares),
  accel: z.enum(['kvm', 'tcg']),
  checks: z.array(z.strictObject({ name: z.string(), status, detail: z.string() })),
  durationMs: z.number(),
  serialLog: z.string().describe('relative to the output directory'),
})

const artifact = z.strictObject({
  kind: z.enum(['combined', 'rootfs', 'kernel', 'iso']),
  firmware: z.enum(firmwares),
  format: z.enum(imageFormats),
  path: z.string().describe('relative to the output directory'),
  bytes: z.number(),
  sha256: z.string(),
  boot: boot.optional().describe('with its own firmware; absent where it was not asked for'),
  biosBoot: boot.optional().describe('of an EFI image that starts from a BIOS too'),
})

/** manifest.json: what was built, of what, and what was seen to work. */
export const manifestSchema = z.strictObject({
  version: z.literal(1),
  tool: z.strictObject({ name: z.literal('fwbuild'), version: z.string() }),
  release: z.string(),
  kernel: z.string(),
  hypervisors: z.array(z.enum(hypervisors)),
  shares: z.array(z.string()),
  packages: z.array(z.string()),
  commit: z.string().describe('of the tree that was built: source, merges and patches together'),
  sources: z.array(source).describe('the tree, the merged branches, the feeds'),
  merges: z.array(source.extend({ how: z.enum(['merge', 'cherry-pick', 'up-to-date', 'upstream']) })),
  patches: z.array(
    z.strictObject({ name: z.string(), sha256: z.string(), status: z.string(), hunks: z.string() }),
  ),
  fragments: z.array(z.strictObject({ file: z.string(), sha256: z.string() })),
  buildroot: z.strictObject({ image: z.string(), id: z.string() }).nullable(),
  steps: z.array(z.strictObject({ step: z.string(), fingerprint: z.string(), durationMs: z.number() })),
  artifacts: z.array(artifact),
})

export type Manifest = z.infer<typeof manifestSchema>

/** Text of sha256sums: `hash *name`, as sha256sum -c reads it, sorted by name. */
export const sha256sums = (files: readonly { readonly path: string; readonly sha256: string }[]): string =>
  [...files]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, sha256 }) => `${sha256} *${path}\n`)
    .join('')
