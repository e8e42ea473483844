import type { AcsAdvice, AcsReason, AcsRemedy } from '../core/host/acs-advice.ts'
import { iommuGroups } from '../core/host/iommu-groups.ts'
import { classText, isBridge, isChipset, slotOf, type PciDevice } from '../core/host/pci-device.ts'
import { table } from './result-table.ts'

/** All groups, for people. */
export function iommuTable(devices: readonly PciDevice[]): string {
  const rows = iommuGroups(devices).flatMap(({ id, devices: members }) =>
    members.map((device, at) => [at === 0 ? String(id) : '', ...deviceCells(device)]),
  )
  return table([['GROUP', 'ADDRESS', 'CLASS', 'ID', 'DRIVER', 'USED FOR'], ...rows])
}

const deviceCells = (device: PciDevice): readonly string[] => [
  device.address,
  classText(device.classCode),
  device.id,
  device.driver ?? '-',
  device.uses.map(({ text }) => text).join(', '),
]

/** What to switch on where there are no groups. */
export function iommuOffText(iommuTables: readonly string[]): string {
  const lines = ['There are no IOMMU groups: the IOMMU is off, so no device can be passed through.']
  if (iommuTables.includes('DMAR')) {
    lines.push(
      'The firmware offers Intel VT-d (ACPI table DMAR): boot with the kernel parameter intel_iommu=on.',
    )
  } else if (iommuTables.includes('IVRS')) {
    lines.push(
      'The firmware offers AMD-Vi (ACPI table IVRS), which Linux uses by itself: look for iommu=off or',
      'amd_iommu=off in /proc/cmdline, and for CONFIG_AMD_IOMMU=y in the kernel’s configuration.',
    )
  } else {
    lines.push(
      'The firmware offers none (no ACPI table DMAR or IVRS). Switch it on in the BIOS set-up: Intel calls it',
      'VT-d, AMD AMD-Vi or IOMMU. On Intel boot with the kernel parameter intel_iommu=on, too.',
    )
  }
  return `${lines.join('\n')}\n`
}

/** What passing a device through takes with it, and what would split its group. */
export function adviceText(device: PciDevice, advice: AcsAdvice): string {
  const name = `${device.address} (${classText(device.classCode)}, ${device.id})`
  if (isBridge(device)) return `${name} is a bridge: it stays with the host; ask for a device behind it.\n`
  if (isChipset(device)) return `${name} is a part of the mainboard: it stays with the host.\n`
  const lines = advice.alone ? aloneLines(name, advice) : sharedLines(name, device, advice)
  return `${[...lines, ...warningLines(device, advice)].join('\n')}\n`
}

function aloneLines(name: string, advice: AcsAdvice): readonly string[] {
  const lines = [
    `${name} is alone in IOMMU group ${advice.group}: it can be passed through as it is.`,
    ...stayingLines(advice),
  ]
  if (advice.inForce === undefined) return [...lines, 'No ACS override is needed.']
  const running = `pcie_acs_override=${advice.inForce.join(',')}`
  if (advice.mode === 'none') return [...lines, `It would be so without ${running}, which is in force now.`]
  return [
    ...lines,
    `That is the work of ${running}, which is in force now; a kernel without it puts more into the group.`,
    ...reasonLines(advice.reasons),
    'What splits it:',
    ...optionLines('it alone', advice),
  ]
}

function sharedLines(name: string, device: PciDevice, advice: AcsAdvice): readonly string[] {
  const { inForce } = advice
  const mode = inForce === undefined ? '' : `, with pcie_acs_override=${inForce.join(',')} in force,`
  return [
    `${name} is in IOMMU group ${advice.group}${mode} with what would have to go along:`,
    ...advice.others.map((other) => `  ${deviceCells(other).filter(Boolean).join('  ')}`),
    ...stayingLines(advice),
    ...reasonLines(advice.reasons),
    ...remedyLines(device, advice),
  ]
}

/** So that nobody looks for them in vain among what has to go. */
const stayingLines = ({ staying }: AcsAdvice): readonly string[] =>
  staying.length === 0
    ? []
    : [
        `What stays with the host although it is in the group: ${staying.map(({ address }) => address).join(', ')}`,
      ]

function reasonLines(reasons: readonly AcsReason[]): readonly string[] {
  if (reasons.length === 0) return ['Nothing in their configuration space says why.']
  return ['The reason:', ...reasons.map((reason) => `  ${reason.address} (${reason.id}) ${whyText(reason)}`)]
}

function whyText({ kind, acs, off }: AcsReason): string {
  switch (kind) {
    case 'conventional':
      return 'is conventional PCI, which cannot keep devices apart; no option changes that'
    case 'alias':
      return 'reads and writes memory in the name of another function of its bus (requester id); no option changes that'
    case 'domain':
      return 'is a controller (Intel VMD) in whose name all devices behind it read and write memory; no option changes that'
    case 'port':
    case 'function':
      break
  }
  const what = kind === 'port' ? 'is a port that' : 'is one function of several and'
  switch (acs) {
    case 'absent':
      return `${what} has no ACS capability`
    case 'off':
      return `${what} has the ACS capability with its controls off (${off.join(', ')})`
    case 'unknown':
      return `${what} may lack ACS; only root can read whether it has it`
  }
}

function remedyLines(device: PciDevice, advice: AcsAdvice): readonly string[] {
  const title = 'What splits it:'
  const members = [...advice.others, ...advice.staying].filter(
    (other) => slotOf(other.address) === slotOf(device.address),
  )
  if (members.length === 0) return [title, ...optionLines('it alone', advice)]
  const whole = members.some(isChipset)
    ? '  the whole slot: cannot go, it holds a part of the mainboard'
    : '  the whole card: nothing is needed, the others are functions of it; pass all of them together'
  const card = advice.card.mode === 'none' ? [whole] : optionLines('the whole card', advice.card)
  return [title, ...card, ...optionLines('this function alone', advice)]
}

function optionLines(what: string, remedy: AcsRemedy): readonly string[] {
  const head = (acs: string): string =>
    `  ${what}: a kernel of fwbuild host-kernel ${acs}, booted with pcie_acs_override=${remedy.parameters.join(',')}`
  const narrow =
    remedy.narrow.length === 0
      ? undefined
      : `    (or only for these devices: pcie_acs_override=${remedy.narrow.join(',')})`
  switch (remedy.mode) {
    case 'none':
      return [`  ${what}: nothing is needed`]
    case 'impossible':
      return [`  ${what}: no override does`, ...wayOutLines(remedy.reasons)]
    case 'missing':
      return [head('--acs'), ...(narrow === undefined ? [] : [narrow])]
    case 'always':
      return [
        head('--acs=always'),
        ...(narrow === undefined ? [] : [`${narrow};`]),
        '    plain --acs has no effect, because it leaves alone what has the ACS capability',
      ]
    case 'unknown':
      return remedy.parameters.length === 0
        ? [
            `  ${what}: unknown; a quirk of the kernel or of the firmware may be behind it`,
            '    try a kernel of fwbuild host-kernel --acs=always with pcie_acs_override=downstream,multifunction, or',
            '    another slot, and look again',
          ]
        : [
            `${head('--acs or --acs=always')};`,
            '    which of both, tells fwbuild iommu when root runs it: others cannot read the ACS capability',
          ]
  }
}

/** What can be done where no override helps. */
function wayOutLines(reasons: readonly AcsReason[]): readonly string[] {
  const controllers = reasons.filter(({ kind }) => kind === 'domain')
  if (controllers.length > 0) {
    const names = controllers.map(({ address }) => address).join(', ')
    return [
      '    switch VMD off in the BIOS set-up: the devices behind it then are ordinary ones with groups of their own',
      `    (an installed system may have to be prepared for that); or pass ${names} itself, with all that is behind it`,
    ]
  }
  if (reasons.some(({ kind }) => kind === 'alias')) {
    return ['    pass all functions of the card together: for the IOMMU they are one device']
  }
  return ['    pass all that is behind the same bridge together, or put the card into a slot of another one']
}

function warningLines(device: PciDevice, { others }: AcsAdvice): readonly string[] {
  const needed = [device, ...others].flatMap((member) => [
    ...(isChipset(member)
      ? [`  ${member.address} ${classText(member.classCode)}, a part of the mainboard`]
      : []),
    ...member.uses.filter((use) => use.needed).map((use) => `  ${member.address} ${use.text}`),
  ])
  if (needed.length === 0) return []
  return [
    '',
    'WARNING: this host uses what would go to the guest:',
    ...needed,
    'Passing the group through takes it away from the host at once; a lost root disk crashes it.',
  ]
}
