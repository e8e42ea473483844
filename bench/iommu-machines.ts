/** A machine of QEMU whose IOMMU groups are looked at. */
export interface BootMachine {
  readonly name: string
  readonly what: string
  /** Values of QEMU's `-device`. */
  readonly devices: readonly string[]
  /** Kernel parameters that belong to the machine. */
  readonly parameters?: readonly string[]
  /** Shell lines that the guest runs first. */
  readonly setUp?: string
  /** Ids to be tried as `id:vvvv:dddd`, beside the kinds. */
  readonly ids: readonly string[]
}

const noAcs = ',disable-acs=on'
/** Ports of QEMU's that have the capability then keep its controls off. */
const controlsOff = ['pci=disable_acs_redir=pci:1b36:000c']
const several = ',multifunction=on'

/** All ports there are; their places are their chassis numbers. */
const portNames = ['rp', 'rp0', 'rp1', 'd0', 'd1', 'e0', 'e1', 'vp0', 'vp1']
const chassis = (id: string): number => portNames.indexOf(id) + 1
const rootPort = (id: string, addr: string, more = '', bus = 'pcie.0'): string =>
  `pcie-root-port,id=${id},bus=${bus},addr=${addr},chassis=${chassis(id)}${more}`
const downstreamPort = (id: string, bus: string, addr: string, more = ''): string =>
  `xio3130-downstream,id=${id},bus=${bus},addr=${addr},chassis=${chassis(id)}${more}`
const upstreamPort = (id: string, bus: string): string => `x3130-upstream,id=${id},bus=${bus}`
const network = (bus: string, addr = '0.0', more = ''): string =>
  `e1000e,bus=${bus},addr=${addr},romfile=${more}`
const entropy = (bus: string, addr = '0.0', more = ''): string =>
  `virtio-rng-pci,bus=${bus},addr=${addr}${more}`
const usb = (bus: string, addr = '0.0', more = ''): string => `qemu-xhci,bus=${bus},addr=${addr}${more}`
const legacyNetwork = (bus: string, addr: string, more = ''): string =>
  `e1000,bus=${bus},addr=${addr},romfile=${more}`

const portId = '1b36:000c'
const networkId = '8086:10d3'

const twoPorts = (more: string): readonly string[] => [
  rootPort('rp0', '1c.0', `${more}${several}`),
  rootPort('rp1', '1c.1', more),
  network('rp0', '0.0', several),
  network('rp0', '0.1'),
  network('rp1'),
]
const fourFunctions = (bus: string): readonly string[] =>
  [0, 1, 2, 3].map((fn) => network(bus, `0.${fn}`, fn === 0 ? several : ''))
const virtualFunctions = `echo 1b36 0010 >/sys/bus/pci/drivers/pci-pf-stub/new_id
for card in /sys/bus/pci/devices/*/sriov_numvfs; do echo 2 >$card; done`
const drive = (bus: string, addr = '0.0'): readonly string[] => [
  `nvme-subsys,id=sub-${bus}`,
  `nvme,serial=${bus},subsys=sub-${bus},bus=${bus},addr=${addr},sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=2,max_ioqpairs=6,msix_qsize=5`,
]

export const bootMachines: readonly BootMachine[] = [
  {
    name: 'two-ports-bare',
    what: 'two ports of one slot without ACS: two functions behind the first, one behind the second',
    devices: twoPorts(noAcs),
    ids: [portId],
  },
  { name: 'two-ports-acs', what: 'the same with ACS', devices: twoPorts(''), ids: [networkId] },
  {
    name: 'two-ports-acs-off',
    what: 'the same with the controls of ACS off',
    devices: twoPorts(''),
    parameters: controlsOff,
    ids: [portId],
  },
  {
    name: 'two-ports-mixed',
    what: 'of two ports of one slot the first without ACS, the second with it',
    devices: [
      rootPort('rp0', '1c.0', `${noAcs}${several}`),
      rootPort('rp1', '1c.1'),
      network('rp0', '0.0', several),
      network('rp0', '0.1'),
      network('rp1'),
    ],
    ids: [portId],
  },
  {
    name: 'card-alone-bare',
    what: 'four functions of a card alone behind a port without ACS',
    devices: [rootPort('rp', '1.0', noAcs), ...fourFunctions('rp')],
    ids: [portId, networkId],
  },
  {
    name: 'card-alone-acs-off',
    what: 'four functions of a card alone behind a port with the controls of ACS off',
    devices: [rootPort('rp', '1.0'), ...fourFunctions('rp')],
    parameters: controlsOff,
    ids: [portId, networkId],
  },
  {
    name: 'isolating-functions-bare',
    what: 'two functions that isolate behind a port without ACS',
    devices: [rootPort('rp', '1.0', noAcs), entropy('rp', '0.0', several), entropy('rp', '0.1')],
    ids: [portId],
  },
  {
    name: 'isolating-functions-acs-off',
    what: 'two functions that isolate, and two that do not, behind ports with the controls of ACS off',
    devices: [
      rootPort('rp0', '1.0'),
      rootPort('rp1', '2.0'),
      entropy('rp0', '0.0', several),
      entropy('rp0', '0.1'),
      network('rp1', '0.0', several),
      network('rp1', '0.1'),
    ],
    parameters: controlsOff,
    ids: [portId],
  },
  {
    name: 'functions-mixed',
    what: 'functions that isolate and functions that do not on one card, behind a port with ACS',
    devices: [
      rootPort('rp', '1.0'),
      network('rp', '0.0', several),
      entropy('rp', '0.1'),
      network('rp', '0.2'),
      entropy('rp', '0.3'),
    ],
    ids: [networkId],
  },
  {
    name: 'switch-slots',
    what: 'a switch whose downstream ports, in slots of their own, have no ACS; the port above it has',
    devices: [
      rootPort('rp', '1.0'),
      upstreamPort('up', 'rp'),
      downstreamPort('d0', 'up', '0.0'),
      downstreamPort('d1', 'up', '1.0'),
      network('d0', '0.0', several),
      network('d0', '0.1'),
      network('d1'),
    ],
    ids: ['104c:8233', networkId],
  },
  {
    name: 'switch-functions',
    what: 'a switch whose downstream ports are functions of one slot, all without ACS, the port above it too',
    devices: [
      rootPort('rp', '1.0', noAcs),
      upstreamPort('up', 'rp'),
      downstreamPort('d0', 'up', '0.0', several),
      downstreamPort('d1', 'up', '0.1'),
      network('d0', '0.0', several),
      network('d0', '0.1'),
      network('d1'),
    ],
    ids: [portId, '104c:8233'],
  },
  {
    name: 'switch-below-switch',
    what: 'a switch behind a switch, behind one of two ports of a slot with the controls of ACS off',
    devices: [
      rootPort('rp0', '1c.0', several),
      rootPort('rp1', '1c.1'),
      upstreamPort('up', 'rp0'),
      downstreamPort('d0', 'up', '0.0'),
      downstreamPort('d1', 'up', '1.0'),
      upstreamPort('lower', 'd0'),
      downstreamPort('e0', 'lower', '0.0', several),
      downstreamPort('e1', 'lower', '0.1'),
      network('e0'),
      network('e1', '0.0', several),
      network('e1', '0.1'),
      network('d1'),
      network('rp1'),
    ],
    parameters: controlsOff,
    ids: [portId, '104c:8233'],
  },
  {
    name: 'conventional-bridge',
    what: 'two conventional cards behind a PCIe-to-PCI bridge, a card behind a port with ACS beside it',
    devices: [
      rootPort('rp0', '2.0'),
      rootPort('rp1', '3.0'),
      'pcie-pci-bridge,id=pb,bus=rp0',
      legacyNetwork('pb', '1.0'),
      legacyNetwork('pb', '2.0'),
      network('rp1'),
    ],
    ids: ['1b36:000e'],
  },
  {
    name: 'conventional-cascade',
    what: 'bridges behind a bridge on the root bus, without PCI Express; functions of one slot',
    devices: [
      'i82801b11-bridge,id=dmi,bus=pcie.0,addr=1e.0',
      'pci-bridge,id=b0,bus=dmi,addr=1.0,chassis_nr=101',
      'pci-bridge,id=b1,bus=dmi,addr=2.0,chassis_nr=102',
      legacyNetwork('b0', '1.0', several),
      legacyNetwork('b0', '1.1'),
      legacyNetwork('b1', '1.0'),
      legacyNetwork('pcie.0', '8.0', several),
      legacyNetwork('pcie.0', '8.1'),
    ],
    ids: ['8086:100e'],
  },
  {
    name: 'root-endpoints',
    what: 'endpoints of the root complex: two functions of Intel’s, two of another maker’s',
    devices: [
      network('pcie.0', '6.0', several),
      network('pcie.0', '6.1'),
      usb('pcie.0', '7.0', several),
      'nvme,serial=root,bus=pcie.0,addr=7.2',
    ],
    ids: ['1b36:0010'],
  },
  {
    name: 'virtual-functions-bare',
    what: 'a drive with two virtual functions behind the first of two ports without ACS, a card behind the second',
    devices: [
      rootPort('rp0', '1c.0', `${noAcs}${several}`),
      rootPort('rp1', '1c.1', noAcs),
      ...drive('rp0'),
      network('rp1'),
    ],
    setUp: virtualFunctions,
    ids: [portId],
  },
  {
    name: 'virtual-functions-acs',
    what: 'the same with ACS',
    devices: [rootPort('rp0', '1c.0', several), rootPort('rp1', '1c.1'), ...drive('rp0'), network('rp1')],
    setUp: virtualFunctions,
    ids: [portId],
  },
  {
    name: 'requester-id-acs',
    what: 'a function that uses the requester id of the next one, and a third one, behind a port with ACS',
    devices: [rootPort('rp', '1.0'), usb('rp', '0.0', several), network('rp', '0.1'), network('rp', '0.2')],
    ids: ['1b36:000d', networkId],
  },
  {
    name: 'requester-id-bare',
    what: 'the same behind one of two ports of a slot without ACS; behind the other one whose next is not there',
    devices: [
      rootPort('rp0', '1c.0', `${noAcs}${several}`),
      rootPort('rp1', '1c.1', noAcs),
      usb('rp0', '0.0', several),
      network('rp0', '0.1'),
      usb('rp1'),
    ],
    ids: [portId],
  },
  {
    name: 'domain-controller',
    what: 'what is on bus 80 and below it uses the requester id of 00:05.0, as behind a VMD',
    devices: [
      network('pcie.0', '5.0'),
      'pxb-pcie,id=pxb,bus=pcie.0,addr=9.0,bus_nr=128',
      rootPort('vp0', '0.0', '', 'pxb'),
      rootPort('vp1', '1.0', '', 'pxb'),
      network('vp0', '0.0', several),
      network('vp0', '0.1'),
      usb('vp1'),
    ],
    ids: [portId],
  },
]
