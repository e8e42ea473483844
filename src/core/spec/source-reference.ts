import { usageError } from '../errors.ts'

/** `URL|PATH[#REF]` as given to --source and --merge. */
export interface SourceReference {
  /** URL or path, absolute once the options were read. */
  readonly location: string
  readonly ref: string | undefined
}

/** @throws usage error for an empty location or ref */
export function parseSourceReference(text: string): SourceReference {
  const mark = text.indexOf('#')
  const location = mark === -1 ? text : text.slice(0, mark)
  const ref = mark === -1 ? undefined : text.slice(mark + 1)
  if (location === '' || location.startsWith('-') || (ref !== undefined && !isRefName(ref))) {
    throw usageError('E_SOURCE_SYNTAX', `‘${text}’ is not a source`, {
      hint: 'write URL, PATH, URL#REF or PATH#REF',
    })
  }
  return { location, ref }
}

/** As it is given to --source and --merge. */
export const referenceText = ({ location, ref }: SourceReference): string =>
  ref === undefined ? location : `${location}#${ref}`

const schemes = /^(?:https?|ssh|git|file|ftps?):\/\//
const scpLike = /^[^/]+@[^/]+:/

/** True for what git fetches over a network or a URL, false for a path of this machine. */
export const isUrl = (location: string): boolean => schemes.test(location) || scpLike.test(location)

/** True for what is fetched from another machine. */
export const isRemote = (location: string): boolean =>
  isUrl(location) && !location.startsWith('file:') && !location.includes('\0')

/** Longer ones are files that no file system can hold. */
const maxRefLength = 200

/** True for the name of a branch, tag or ref, or for (the start of) a commit: git-check-ref-format(1), and no option. */
export const isRefName = (ref: string): boolean =>
  ref.length <= maxRefLength &&
  !ref.startsWith('-') &&
  // oxlint-disable-next-line no-control-regex -- git allows none
  !/[\u0000-\u0020\u007F~^:?*[\\]|\.\.|@\{|\/\/|^\/|\/$|\.$|^@$|^$/.test(ref) &&
  ref.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'))

/** Host of a URL for messages; the location itself where there is none. */
export function hostOf(location: string): string {
  return (
    /^[a-z+]+:\/\/(?:[^@/]*@)?([^/:]+)/.exec(location)?.[1] ??
    /^[^@/]+@([^:]+):/.exec(location)?.[1] ??
    location
  )
}
