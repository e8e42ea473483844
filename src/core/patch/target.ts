import type { FilePatch } from './model.ts'
import { displayText } from './lines.ts'
import { stripComponents } from './names.ts'
import { unsafeName } from './unsafe-name.ts'

/** Which file a file patch reads and which it writes. */
export interface PatchTarget {
  /** undefined when the file is created. */
  readonly from: string | undefined
  /** undefined when the file is deleted. */
  readonly to: string | undefined
  /** What `from` was copied from, where a copy is undone. */
  readonly original?: string
}

/** A name that is refused; `short` where it only has too few components. */
interface Refused {
  readonly refused: string
  readonly short?: boolean
}

export type TargetResult = PatchTarget | Refused

/**
 * The names of a file patch with `strip` leading components removed, checked for safety.
 * @param exists asked only when the two sides name different files
 */
export function patchTarget(file: FilePatch, strip: number, exists: (path: string) => boolean): TargetResult {
  const { git } = file
  if (git !== undefined && ['rename', 'copy', 'uncopy'].includes(git.operation)) {
    // These names carry no a/ or b/ prefix, so that one component less is stripped.
    const from = checkedName(git.from, Math.max(strip - 1, 0))
    const to = checkedName(git.to, Math.max(strip - 1, 0))
    if ('refused' in from) return from
    if ('refused' in to) return to
    if (git.operation === 'uncopy') return { from: from.name, to: undefined, original: to.name }
    return { from: from.name, to: to.name }
  }
  const old = file.oldName === '/dev/null' ? undefined : file.oldName
  const fresh = file.newName === '/dev/null' ? undefined : file.newName
  if (old === undefined && fresh === undefined) return { refused: 'the header names no file' }
  const names = [fresh, old].filter((name) => name !== undefined).map((name) => checkedName(name, strip))
  const refused = names.find((name) => 'refused' in name)
  if (refused !== undefined && 'refused' in refused) return refused
  const paths = [...new Set(names.map((name) => ('name' in name ? name.name : '')))]
  const path = paths.length === 1 ? paths[0] : bestName(paths, exists)
  if (path === undefined) return { refused: 'the header names no file' }
  return { from: file.oldAbsent ? undefined : path, to: file.newAbsent ? undefined : path }
}

/** Where the sides differ (`foo.c.orig` and `foo.c`): the one that exists, else GNU patch's choice. */
function bestName(paths: readonly string[], exists: (path: string) => boolean): string | undefined {
  const present = paths.filter(exists)
  const base = (path: string): number => path.length - path.lastIndexOf('/') - 1
  const depth = (path: string): number => path.split('/').length
  return [...(present.length > 0 ? present : paths)].sort(
    (a, b) => depth(a) - depth(b) || base(a) - base(b) || a.length - b.length,
  )[0]
}

function checkedName(name: string | undefined, strip: number): { readonly name: string } | Refused {
  if (name === undefined) return { refused: 'the header names no file' }
  // Judged with its prefix, too: `/etc/passwd` must not become harmless by -p1.
  const shown = JSON.stringify(displayText(name))
  if (name.startsWith('/')) return { refused: `${shown}: the name is absolute` }
  const stripped = stripComponents(name, strip)
  if (stripped === undefined) {
    return { refused: `${shown} has too few components for -p${strip}`, short: true }
  }
  const normal = stripped.replaceAll(/\/{2,}/g, '/').replace(/^(?:\.\/)+/, '')
  const reason = unsafeName(normal)
  if (reason !== undefined) return { refused: `${shown}: ${reason}` }
  return { name: displayText(normal) }
}
