import { constants, createWriteStream, existsSync } from 'node:fs'
import { access, copyFile, mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { finished } from 'node:stream/promises'
import { StringDecoder } from 'node:string_decoder'
import { infraError } from '../core/errors.ts'
import type { BuildUser } from './engine.ts'
import { fileError } from './files.ts'
import { processorWaitMs } from './processor-wait.ts'
import { startProcess } from './process.ts'
import { Tail } from './process-output.ts'
import { stepsDown } from './step-down.ts'

const kvmDevice = '/dev/kvm'

/**
 * Whether KVM is there and real: a loaded vendor module and a device that can be opened. Some machines
 * have a /dev/kvm that opens and never runs a kernel, so a boot must still fall back when it stays silent.
 * @param as who QEMU will run as where fwbuild is root's
 */
export async function kvmAvailable(as?: BuildUser): Promise<boolean> {
  if (!existsSync('/sys/module/kvm_intel') && !existsSync('/sys/module/kvm_amd')) return false
  if (stepsDown(as)) {
    const mode = (await stat(kvmDevice).catch(() => undefined))?.mode ?? 0
    return (mode & 0o006) === 0o006 || (await kvmGroups()).length > 0
  }
  return access(kvmDevice, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
}

/** The group that may use KVM, where there is one for it: Debian's is `kvm`. Root's own is never given away. */
async function kvmGroups(): Promise<readonly number[]> {
  const stats = await stat(kvmDevice).catch(() => undefined)
  return stats !== undefined && stats.gid !== 0 && (stats.mode & 0o060) === 0o060 ? [stats.gid] : []
}

/** A UEFI firmware build without Secure Boot: code, and the template of its variables. */
export interface OvmfFiles {
  readonly codePath: string
  readonly varsPath: string
}

/** Where Debian, Fedora, Arch and openSUSE put OVMF; the 4 MB builds first. */
const usualOvmfFiles: readonly OvmfFiles[] = [
  ['/usr/share/OVMF', 'OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd'],
  ['/usr/share/OVMF', 'OVMF_CODE.fd', 'OVMF_VARS.fd'],
  ['/usr/share/edk2/ovmf', 'OVMF_CODE.fd', 'OVMF_VARS.fd'],
  ['/usr/share/edk2/x64', 'OVMF_CODE.4m.fd', 'OVMF_VARS.4m.fd'],
  ['/usr/share/qemu', 'ovmf-x86_64-4m-code.bin', 'ovmf-x86_64-4m-vars.bin'],
].map(([directory = '', code = '', vars = '']) => ({
  codePath: join(directory, code),
  varsPath: join(directory, vars),
}))

/** The first firmware of a list that is installed. */
export function findOvmf(candidates: readonly OvmfFiles[] = usualOvmfFiles): OvmfFiles | undefined {
  return candidates.find(({ codePath, varsPath }) => existsSync(codePath) && existsSync(varsPath))
}

/**
 * Gives a machine its own firmware: the shared code and a private copy of the variables.
 * @param privateVarsPath where the copy goes
 * @throws infra E_OVMF_MISSING
 */
export async function prepareOvmf(
  privateVarsPath: string,
  candidates: readonly OvmfFiles[] = usualOvmfFiles,
): Promise<OvmfFiles> {
  const found = findOvmf(candidates)
  if (found === undefined) {
    throw infraError('E_OVMF_MISSING', 'no UEFI firmware for virtual machines (OVMF) was found', {
      hint:
        'On Debian: apt-get install ovmf (or run with --install-missing); ' +
        `looked for ${candidates.map(({ codePath }) => codePath).join(', ')}.`,
      retryable: false,
    })
  }
  await copyFile(found.varsPath, privateVarsPath)
  return { codePath: found.codePath, varsPath: privateVarsPath }
}

/** Descriptor of the first file that a process is handed. */
const firstHanded = 3

/**
 * What QEMU calls the file that it is handed as the n-th, from 0 on (-add-fd of its manual). It then opens nothing by
 * a path, so that no name is taken for a protocol (`nbd:`, `json:`) and the file needs not be readable to it.
 */
export const handedFile = (index: number): string => `/dev/fdset/${index}`

/** A virtual machine that runs, seen through its serial port. */
export interface RunningMachine {
  readonly send: (text: string) => void
  /** How long it could not go on because other programs had the processors. */
  readonly starvedMs: () => number
  /** Resolves when QEMU is gone; throws cancelled after an abort. */
  readonly exited: Promise<{ readonly exitCode: number; readonly stderr: string }>
  /**
   * Kills QEMU and closes the log; always to be called, also after the exit.
   * @throws infra E_DISK_FULL | E_FILE_WRITE when the log is not whole
   */
  readonly stop: () => Promise<void>
}

/**
 * Starts QEMU with a command line whose serial port is on stdin and stdout.
 * @param options.logPath gets every byte of the serial port, as it comes
 * @throws infra E_PROGRAM_MISSING | E_PROCESS_START, cancelled
 */
export async function startMachine(
  command: readonly string[],
  options: {
    readonly logPath: string
    readonly onSerial: (text: string) => void
    readonly signal?: AbortSignal
    /** Current directory; files in it are reached whatever lies above it. */
    readonly cwd?: string
    /** Open files, which the command line knows by `handedFile`. */
    readonly files?: readonly number[]
    /** Who runs QEMU where fwbuild is root's: the guest is foreign code, and QEMU all that stands around it. */
    readonly as?: BuildUser
  },
): Promise<RunningMachine> {
  await mkdir(dirname(options.logPath), { recursive: true })
  const log = createWriteStream(options.logPath)
  // A log that cannot be written must not end the boot half-way: stop() tells.
  const logged = finished(log)
  logged.catch(() => {})
  const { cwd, files = [], as } = options
  const handed = files.flatMap((_, index) => ['-add-fd', `fd=${firstHanded + index},set=${index}`])
  const qemu = await startProcess([...command, ...handed], {
    dieWithParent: true,
    killGraceMs: 2000,
    files,
    groups: await kvmGroups(),
    ...(cwd === undefined ? {} : { cwd }),
    ...(as === undefined ? {} : { as }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  }).catch((error: unknown) => {
    log.destroy()
    throw error
  })
  const decoder = new StringDecoder('utf8')
  const stderr = new Tail(16 * 1024)
  qemu.stdout.on('data', (chunk: Buffer) => {
    log.write(chunk)
    options.onSerial(decoder.write(chunk))
  })
  qemu.stderr.on('data', (chunk: Buffer) => stderr.add(chunk))
  const exited = qemu.done.then((exitCode) => ({ exitCode, stderr: stderr.text() }))
  exited.catch(() => {})
  let starvedMs = 0
  return {
    send: (text) => qemu.writeStdin(text),
    starvedMs: () => (starvedMs = Math.max(starvedMs, processorWaitMs(qemu.pid))),
    exited,
    stop: async () => {
      await qemu.stop()
      log.end()
      await logged.catch((error: unknown) => {
        throw fileError(options.logPath, error)
      })
    },
  }
}
