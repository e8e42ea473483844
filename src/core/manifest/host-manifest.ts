import { z } from 'zod'
import { acsModes } from '../spec/options.ts'

const verdict = z.enum(['passed', 'failed'])
const groups = z
  .array(z.array(z.string()))
  .describe('each group a list: rp0 rp1 ports; e f functions behind rp0; g behind rp1')

const groupsProof = z.strictObject({
  status: verdict,
  acs: z.enum(acsModes),
  release: z.string().nullable(),
  rows: z.array(
    z.strictObject({
      topology: z
        .enum(['A', 'B', 'B+R'])
        .describe('A: ports without ACS; B: with; B+R: with, its controls off'),
      parameters: z.array(z.string()).describe('options of pcie_acs_override=; none: not given'),
      groups,
      expected: groups,
      status: verdict,
      detail: z.string().nullable(),
      warnings: z.array(z.string()),
      tainted: z.number().nullable(),
      durationMs: z.number(),
      log: z.string().describe('relative to the output directory'),
    }),
  ),
})

const checks = z.array(
  z.strictObject({ name: z.string(), status: z.enum(['passed', 'failed', 'not-run']), detail: z.string() }),
)

const modulesProof = z.strictObject({
  status: z.enum(['passed', 'failed', 'not-run']),
  accel: z.enum(['kvm', 'tcg']),
  checks,
  durationMs: z.number(),
  log: z.string().describe('relative to the output directory'),
})

const installProof = z.strictObject({
  status: z.enum(['passed', 'failed', 'not-run']),
  previous: z.string().nullable().describe('uname -r of the kernel that was there before'),
  accel: z.enum(['kvm', 'tcg']).nullable(),
  checks,
  durationMs: z.number(),
  logs: z.array(z.string()).describe('relative to the output directory'),
})

const file = z.strictObject({ path: z.string(), bytes: z.number(), sha256: z.string() })

/** manifest.json of a host kernel: what was built, of what, and what was seen to work. */
export const hostManifestSchema = z.strictObject({
  version: z.literal(1),
  kind: z.literal('host-kernel'),
  tool: z.strictObject({ name: z.literal('fwbuild'), version: z.string() }),
  kernel: z.strictObject({
    version: z.string(),
    release: z.string().describe('uname -r'),
    config: z.string().describe('what its configuration started from'),
    acs: z.enum(acsModes),
    acsParameters: z.array(z.string()).describe('advised options of pcie_acs_override='),
  }),
  source: z.strictObject({ text: z.string(), id: z.string(), sha256: z.string().nullable() }),
  patches: z.array(
    z.strictObject({ name: z.string(), sha256: z.string(), status: z.string(), hunks: z.string() }),
  ),
  fragments: z.array(z.strictObject({ file: z.string(), sha256: z.string() })),
  zfs: z.strictObject({ version: z.string(), origin: z.string() }).nullable(),
  passthrough: z.array(z.string()).describe('BDFs that vfio-pci takes at boot'),
  buildroot: z.strictObject({ image: z.string(), id: z.string() }).nullable(),
  steps: z.array(z.strictObject({ step: z.string(), fingerprint: z.string(), durationMs: z.number() })),
  packages: z.array(file),
  proofs: z.strictObject({
    groups: groupsProof.nullable().describe('null where it was not asked for'),
    modules: modulesProof.nullable(),
    install: installProof.nullable(),
  }),
})

export type HostManifest = z.infer<typeof hostManifestSchema>
