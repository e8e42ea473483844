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
  if (location === '' || ref === '' || ref?.startsWith('-') === true || location.startsWith('-')) {
    throw usageError('E_SOURCE_SYNTAX', `‘${text}’ is not a source`, {
      hint: 'write URL, PATH, URL#REF or PATH#REF',
    })
  }
  return { location, ref }
}

const schemes = /^(?:https?|ssh|git|file|ftps?):\/\//
const scpLike = /^[^/]+@[^/]+:/

/** True for what git fetches over a network or a URL, false for a path of this machine. */
export const isUrl = (location: string): boolean => schemes.test(location) || scpLike.test(location)

/** Host of a URL for messages; the location itself where there is none. */
export function hostOf(location: string): string {
  return (
    /^[a-z+]+:\/\/(?:[^@/]*@)?([^/:]+)/.exec(location)?.[1] ??
    /^[^@/]+@([^:]+):/.exec(location)?.[1] ??
    location
  )
}
