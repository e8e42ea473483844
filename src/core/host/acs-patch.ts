import { buildError } from '../errors.ts'
import { dropLines } from '../patch/edit.ts'
import { shownLine } from '../patch/lines.ts'
import type { PatchDocument } from '../patch/model.ts'
import type { AcsMode } from '../spec/options.ts'

/** What the condition looks at that leaves devices with an ACS capability alone: by its id, or as the kernel keeps it. */
const capabilityCondition = /PCI_EXT_CAP_ID_ACS|->acs_cap\b/

/** Whether a patch is an ACS override, ours or a published variant: it adds the kernel parameter. */
export const isAcsOverride = (patch: PatchDocument): boolean =>
  addedLines(patch).some((text) => text.includes('early_param("pcie_acs_override"'))

/** Whether a patch spares devices that have an ACS capability. */
const sparesAcsDevices = (patch: PatchDocument): boolean =>
  addedLines(patch).some((text) => capabilityCondition.test(text))

const addedLines = (patch: PatchDocument, names = /^/): readonly string[] =>
  patch.files
    .filter(({ newName }) => names.test(newName ?? ''))
    .flatMap(({ hunks }) =>
      hunks.flatMap(({ lines }) => lines.flatMap(({ kind, text }) => (kind === 'added' ? [text] : []))),
    )

/**
 * An ACS override patch as a mode wants it: for `always` the condition on the ACS capability goes, by the
 * patch engine's own edit; counts and what depends on them follow. The very document where nothing is to go.
 * @throws build E_ACS_PATCH where devices with ACS are spared by words that are not known, E_PATCH_EDIT
 */
export function acsPatchFor(patch: PatchDocument, mode: AcsMode, name = 'the patch'): PatchDocument {
  if (mode !== 'always') return patch
  const edited = sparesAcsDevices(patch) ? dropLines(patch, capabilityCondition) : patch
  const sparing = unknownSparing(patch, edited)
  if (sparing === undefined) return edited
  throw buildError(
    'E_ACS_PATCH',
    `${name}: --acs=always can not tell whether "${shownLine(sparing)}" spares devices that have ACS`,
    { hint: 'edit the patch (fwbuild patch edit --drop-lines REGEX), or use --acs=missing' },
  )
}

/** A line of the edited patch that asks for an ACS capability in words of its own, or by a name that went with the condition. */
function unknownSparing(patch: PatchDocument, edited: PatchDocument): string | undefined {
  const code = addedLines(edited, /\.[ch]$/).map(withoutTexts)
  const kept = new Set(addedLines(edited))
  const gone = addedLines(patch).filter((line) => !kept.has(line) && capabilityCondition.test(line))
  const names = gone.flatMap((line) => /(\w+)\s*=[^=]/.exec(line)?.[1] ?? [])
  const declared = new Set(code.flatMap((line) => declaration.exec(line)?.[1] ?? []))
  return code
    .find((line) => {
      if (names.some((name) => new RegExp(String.raw`\b${name}\b`).test(line))) return true
      if (/pci_find_(?:next_)?ext_capability/.test(line)) return true
      if (!/\bif\b|\bwhile\b|\breturn\b|&&|\|\||\?/.test(line)) return false
      return (line.match(/\w*acs\w*/gi) ?? []).some((word) => !own.test(word) && !declared.has(word))
    })
    ?.trim()
}

/** Words of overrides themselves: the parameter, its flags and tables, and the constants of what is to be isolated. */
const own = /override|OVERRIDE|quirk|^acs_(?:flags|on_\w+|ids?)$|^(?:REQ|PCI)_ACS_[A-Z]+$|max_acs/

/** A name that the patch itself defines. */
const declaration =
  /^\s*(?:#\s*define|(?:static\s+|const\s+|unsigned\s+)*(?:struct\s+\w+|\w+))\s+\*?(\w*acs\w*)\s*(?:[=;[(,\d]|$)/i

/** Code without comments and strings. */
const withoutTexts = (line: string): string =>
  /^\s*\*/.test(line) ? '' : line.replaceAll(/\/\*.*?(?:\*\/|$)|\/\/.*|"(?:[^"\\]|\\.)*"/g, '')
