import { readAcsOverride } from '../../src/core/host/acs-override.ts'
import {
  declaresIsolation,
  isVouchedFor,
  kernelGroups,
  pciMachine,
} from '../../src/core/host/kernel-groups.ts'
import { modelParameters, pciDevices, type BootedGroups, type BootedMachine } from './iommu-boots.ts'

/** The groups that the model makes of a machine, for the kernel and the options of a boot. */
export function modelGroups(
  booted: BootedMachine,
  { mode, parameters, groups }: BootedGroups,
): readonly (readonly string[])[] {
  const machine = pciMachine(pciDevices(booted, groups))
  const override = readAcsOverride(modelParameters(parameters))
  const numbers = kernelGroups(
    machine,
    (device) =>
      isVouchedFor(machine, device, { mode, override }) || declaresIsolation(machine, device) === true,
  )
  const members = new Map<number, string[]>()
  for (const [address, number] of numbers) members.set(number, [...(members.get(number) ?? []), address])
  return [...members.values()]
}
