import { readFile } from 'node:fs/promises'

/** Of this machine, by os-release(5); undefined fields where it does not say. */
export interface HostOs {
  readonly id: string | undefined
  readonly codename: string | undefined
}

/** @param file for tests */
export async function readHostOs(file = '/etc/os-release'): Promise<HostOs> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}="?([^"\\n]+)"?$`, 'm').exec(text)?.[1]
  return { id: field('ID'), codename: field('VERSION_CODENAME') }
}
