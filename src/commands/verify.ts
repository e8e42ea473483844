import { mkdtemp, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import type { BootResult } from '../core/boot/boot-result.ts'
import { bootError, usageError } from '../core/errors.ts'
import type { Reporter } from '../core/events.ts'
import { mostDiskBytes, wholeSectorBytes } from '../core/image/conversion.ts'
import { formatOfName, hypervisors, imageFormats, type Hypervisor } from '../core/image/formats.ts'
import { firmwares, recognizeImage, type Firmware } from '../core/image/image-names.ts'
import { buildUser } from '../effects/build-user.ts'
import { atomicWrite, removeTree } from '../effects/files.ts'
import { requireWholeImage } from '../effects/image-references.ts'
import { gunzipFile } from '../effects/gunzip.ts'
import { proveBoot } from '../pipeline/boot-image.ts'
import { junitReport } from '../report/junit.ts'
import type { Io } from './io.ts'

interface VerifyOptions {
  readonly hv: readonly Hypervisor[]
  readonly firmware?: readonly Firmware[]
  readonly share9p?: boolean
  readonly json?: boolean
  readonly junit?: string
  readonly output?: string
}

/** `fwbuild verify IMAGE`: boots an image and checks that it works. */
export function define(command: Command, io: Io): void {
  command
    .argument('<image>', `disk image (${imageFormats.join(', ')}, by its extension), or a .gz of a raw one`)
    .option(
      '--hv <list>',
      `hypervisors whose drivers have to bind: ${hypervisors.join(', ')}`,
      listOf(hypervisors),
      ['kvm'] as readonly Hypervisor[],
    )
    .option(
      '--firmware <list>',
      'bios, uefi; default: both where the name says -efi, else bios',
      listOf(firmwares),
    )
    .option('--share9p', 'also read and write a file through a 9p share')
    .option('--json', 'print the results as one JSON document')
    .option('--junit <file>', 'write a JUnit XML report')
    .option('--output <dir>', 'where the serial logs go; default: a new temporary directory')
    .action((image: string, options: VerifyOptions) => verify(resolve(io.cwd, image), options, io))
}

async function verify(image: string, options: VerifyOptions, io: Io): Promise<void> {
  const name = basename(image)
  const format = formatOfName(name.replace(/\.gz$/, ''))
  if (format === undefined) {
    throw usageError('E_IMAGE_FORMAT', `${image}: the extension tells no image format`, {
      hint: `Known are .img, .raw, .img.gz, .qcow2, .vmdk, .vhdx, .vhd and .vdi.`,
    })
  }
  const stats = await stat(image).catch(() => undefined)
  if (stats?.isFile() !== true) throw usageError('E_IMAGE_MISSING', `${image}: no such file`)
  const firmware = options.firmware ?? defaultFirmware(name)
  const scratch = await mkdtemp(join(tmpdir(), 'fwbuild-verify-'))
  try {
    const imagePath = name.endsWith('.gz') ? join(scratch, 'disk.img') : image
    if (imagePath !== image) {
      const limits = { signal: io.signal, maxBytes: mostDiskBytes }
      await gunzipFile(image, imagePath, { ...limits, cutTo: wholeSectorBytes })
    }
    const checked = {
      signal: io.signal,
      as: buildUser(io.env),
      note: (text: string) => io.stderr(`${text}\n`),
    }
    await requireWholeImage(imagePath, format, checked)
    const logs = await logDirectory(options, io)
    const boots: BootResult[] = []
    for (const kind of firmware) {
      boots.push(
        await proveBoot({
          imagePath,
          format,
          firmware: kind,
          hypervisors: options.hv,
          share9p: options.share9p === true,
          logPath: join(logs, `${name}-${kind}.log`),
          signal: io.signal,
          as: buildUser(io.env),
          step: `boot ${kind}`,
          report: talk(io),
        }),
      )
    }
    await publish(name, boots, options, io)
  } finally {
    await removeTree(scratch)
  }
}

/** An image with an EFI loader starts from BIOS too: both have to work. */
function defaultFirmware(name: string): readonly Firmware[] {
  const efi = recognizeImage(name)?.firmware === 'uefi' || /-efi\.[a-z0-9.]+$/.test(name)
  return efi ? ['bios', 'uefi'] : ['bios']
}

const logDirectory = (options: VerifyOptions, io: Io): Promise<string> | string =>
  options.output === undefined
    ? mkdtemp(join(tmpdir(), 'fwbuild-boot-log-'))
    : resolve(io.cwd, options.output)

async function publish(
  name: string,
  boots: readonly BootResult[],
  options: VerifyOptions,
  io: Io,
): Promise<void> {
  if (options.junit !== undefined) {
    await atomicWrite(resolve(io.cwd, options.junit), junitReport(name, boots))
  }
  const failed = boots.filter((boot) => boot.status === 'failed')
  if (options.json === true) {
    const status = failed.length === 0 ? 'passed' : 'failed'
    io.stdout(`${JSON.stringify({ version: 1, image: name, status, boots }, null, 2)}\n`)
  } else io.stdout(boots.map(describeBoot).join(''))
  if (failed.length === 0) return
  const reasons = failed.map((boot) => {
    const check = boot.checks.find(({ status }) => status === 'failed')
    return `${boot.firmware}: ${check?.name}: ${check?.detail}`
  })
  throw bootError('E_BOOT_FAILED', `${name} did not prove itself: ${reasons.join('; ')}`, {
    hint: failed.map((boot) => `Serial log: ${boot.serialLog}`).join('\n'),
  })
}

function describeBoot(boot: BootResult): string {
  const head = `${boot.firmware} (${boot.accel}, ${(boot.durationMs / 1000).toFixed(1)} s): ${boot.status}\n`
  const width = Math.max(...boot.checks.map((check) => check.name.length))
  const lines = boot.checks.map(
    (check) => `  ${check.status.padEnd(8)} ${check.name.padEnd(width)}  ${check.detail}\n`,
  )
  return head + lines.join('')
}

function talk(io: Io): Reporter {
  return (event) => {
    if (event.type === 'note') io.stderr(`${event.text}\n`)
    if (event.type !== 'progress') return
    const { item, done, total } = event.progress
    io.stderr(`${event.step}: ${done}/${total} ${item}\n`)
  }
}

/** Parses a comma-separated list of known words, each once. */
function listOf<Word extends string>(words: readonly Word[]): (text: string) => readonly Word[] {
  return (text) => {
    const asked = [...new Set(text.split(',').map((word) => word.trim()))]
    const known = words.filter((word) => asked.includes(word))
    if (known.length === asked.length) return known
    const unknown = asked.filter((word) => !(words as readonly string[]).includes(word))
    throw new InvalidArgumentError(`${unknown.join(', ')}: not one of ${words.join(', ')}.`)
  }
}
