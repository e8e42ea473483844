import { type Command, Option } from 'commander'
import { infraError } from '../core/errors.ts'
import type { Finding, HostJob } from '../core/host/requirements.ts'
import { checkHost } from '../pipeline/check-host.ts'
import { installMissing } from '../pipeline/install-missing.ts'
import { findingsTable } from '../report/findings-table.ts'
import { addWorkOptions } from './build-options.ts'
import { readLayers, workDirOf } from './option-layers.ts'
import { confirm } from './confirm.ts'
import type { Io } from './io.ts'

interface DoctorOptions {
  readonly fix?: boolean
  readonly json?: boolean
  readonly engine: string
}

export function define(command: Command, io: Io): void {
  addWorkOptions(command)
    .option('--fix', 'install what is missing and start Docker (Debian)')
    .addOption(
      new Option('--engine <engine>', 'what builds run in').choices(['docker', 'host']).default('docker'),
    )
    .option('--json', 'one JSON document on standard output')
    .action(async (options: DoctorOptions) => {
      const { layers } = await readLayers(command, io)
      await doctor(options, workDirOf(layers, io.env), io)
    })
}

async function doctor(options: DoctorOptions, workDir: string, io: Io): Promise<void> {
  const engineJobs: readonly HostJob[] =
    options.engine === 'host' ? ['host-build'] : ['container', 'base-image']
  const jobs: readonly HostJob[] = ['clone', ...engineJobs, 'convert', 'boot']
  const context = { jobs, env: io.env, workDir, signal: io.signal }
  const findings =
    options.fix === true
      ? await installMissing({
          ...context,
          onLine: (line) => io.stderr(`${line}\n`),
          terminal: io.stdin !== undefined,
          ...(io.stdin === undefined ? {} : { confirm: (question) => confirm(question, io) }),
        })
      : await checkHost(jobs, context)
  io.stdout(options.json === true ? `${JSON.stringify({ findings }, null, 2)}\n` : findingsTable(findings))
  failWhereMissing(findings)
}

function failWhereMissing(findings: readonly Finding[]): void {
  const missing = findings.filter(({ state }) => state === 'missing')
  if (missing.length === 0) return
  throw infraError('E_HOST', `missing on this machine: ${missing.map(({ title }) => title).join(', ')}`, {
    hint: 'fwbuild doctor --fix installs what Debian has.',
  })
}
