import { usageError } from '../errors.ts'
import { shellWord } from '../manifest/reproduce.ts'

/** Fields of a binary package's control file, as deb-control(5) and chapter 5 of the Debian policy define them. */
export interface DebControl {
  readonly name: string
  readonly version: string
  /** Default `amd64`. */
  readonly architecture?: string
  readonly maintainer: string
  readonly section?: string
  readonly preDepends?: readonly string[]
  readonly depends?: readonly string[]
  readonly recommends?: readonly string[]
  readonly provides?: readonly string[]
  readonly conflicts?: readonly string[]
  readonly replaces?: readonly string[]
  /** One line, without a full stop. */
  readonly synopsis: string
  /** Paragraphs. */
  readonly description: readonly string[]
}

/** A file that a package brings along. */
export interface DebFile {
  /** Absolute, as on the machine where it is installed. */
  readonly path: string
  readonly content: string
  /** Default 0o644. */
  readonly mode?: number
}

/** deb-version(7): at least two characters; policy 5.6.1. */
const namePattern = /^[a-z0-9][a-z0-9+.-]+$/
/** Policy 5.6.12, without a colon in the upstream part. */
const versionPattern = /^(?:\d+:)?\d[A-Za-z0-9.+~-]*$/

/** Width at which descriptions are wrapped, as linters want it. */
const width = 79

/**
 * The text of DEBIAN/control.
 * @param installedKib size of the files, in KiB
 * @throws usage E_DEB_FIELD for a value that dpkg or the policy refuses
 */
export function renderControl(control: DebControl, installedKib: number): string {
  const { name, version } = control
  if (!namePattern.test(name)) throw fieldError('Package', name, 'lower-case letters, digits, + - .')
  if (!versionPattern.test(version))
    throw fieldError('Version', version, 'a digit first, then A-Z a-z 0-9 . + ~ -')
  if (control.synopsis === '') throw fieldError('Description', control.synopsis, 'text')
  const lists: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['Pre-Depends', control.preDepends],
    ['Depends', control.depends],
    ['Recommends', control.recommends],
    ['Provides', control.provides],
    ['Conflicts', control.conflicts],
    ['Replaces', control.replaces],
  ]
  const fields: readonly (readonly [string, string])[] = [
    ['Package', name],
    ['Version', version],
    ['Architecture', control.architecture ?? 'amd64'],
    ['Maintainer', control.maintainer],
    ['Installed-Size', String(installedKib)],
    ...lists.flatMap(([field, values = []]) =>
      values.length === 0 ? [] : [[field, values.join(', ')] as const],
    ),
    ['Section', control.section ?? 'kernel'],
    ['Priority', 'optional'],
    ['Description', control.synopsis],
  ]
  const lines = fields.map(([field, value]) => {
    // A line break would begin another field, or end the paragraph.
    if (/[\r\n]/.test(value)) throw fieldError(field, value, 'one line')
    return `${field}: ${value}`
  })
  return [...lines, ...descriptionLines(control.description), ''].join('\n')
}

const fieldError = (field: string, value: string, allowed: string): Error =>
  usageError('E_DEB_FIELD', `${field}: ‘${value}’ cannot be a value of a Debian package; allowed: ${allowed}`)

/** Policy 5.6.13: each line begins with a blank, and a dot stands for an empty one. */
function descriptionLines(paragraphs: readonly string[]): readonly string[] {
  return paragraphs.flatMap((paragraph, index) => [...(index === 0 ? [] : [' .']), ...wrap(paragraph)])
}

function wrap(paragraph: string): readonly string[] {
  const lines: string[] = []
  for (const word of paragraph.split(/\s+/).filter((each) => each !== '')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(` ${word}`)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

/** Something a maintainer script does. */
export interface ScriptAction {
  /** First arguments of the script for which it is done (policy 6.5), e.g. `configure`. */
  readonly on: readonly string[]
  /** Left out where one of these programs or files (with a slash) is missing. */
  readonly needs?: readonly string[]
  readonly argv: readonly string[]
}

export type MaintainerScripts = Readonly<
  Partial<Record<'preinst' | 'postinst' | 'prerm' | 'postrm', readonly ScriptAction[]>>
>

/** The text of one maintainer script; its actions are done in order, and a failure is the script's. */
export function renderMaintainerScript(actions: readonly ScriptAction[]): string {
  const parts = actions.map(({ on, needs = [], argv }) => {
    const command = argv.map(shellWord).join(' ')
    const tests = needs.map((need) =>
      need.includes('/') ? `[ -e ${shellWord(need)} ]` : `command -v ${shellWord(need)} >/dev/null 2>&1`,
    )
    const body =
      tests.length === 0 ? [`  ${command}`] : [`  if ${tests.join(' && ')}; then`, `    ${command}`, '  fi']
    return ['case "$1" in', `${on.join(' | ')})`, ...body, '  ;;', 'esac'].join('\n')
  })
  return ['#!/bin/sh', '# Made by fwbuild.', 'set -e', ...parts, ''].join('\n')
}
