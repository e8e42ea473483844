import { dropLines } from '../patch/edit.ts'
import type { PatchDocument } from '../patch/model.ts'
import type { AcsMode } from '../spec/options.ts'

/** The condition that leaves devices with an ACS capability alone; other published variants name it too. */
const capabilityCondition = /PCI_EXT_CAP_ID_ACS/

/** Whether a patch is an ACS override, ours or a published variant: it adds the kernel parameter. */
export const isAcsOverride = (patch: PatchDocument): boolean =>
  addedLines(patch).some((text) => text.includes('early_param("pcie_acs_override"'))

/** Whether a patch spares devices that have an ACS capability. */
const sparesAcsDevices = (patch: PatchDocument): boolean =>
  addedLines(patch).some((text) => capabilityCondition.test(text))

const addedLines = (patch: PatchDocument): readonly string[] =>
  patch.files.flatMap((file) =>
    file.hunks.flatMap((hunk) => hunk.lines.flatMap((line) => (line.kind === 'added' ? [line.text] : []))),
  )

/**
 * An ACS override patch as a mode wants it: for `always` the condition on the ACS capability goes, by the
 * patch engine's own edit; counts and what depends on them follow.
 */
export const acsPatchFor = (patch: PatchDocument, mode: AcsMode): PatchDocument =>
  mode === 'always' && sparesAcsDevices(patch) ? dropLines(patch, capabilityCondition) : patch
