import type { BootResult } from './boot-result.ts'

/** Linux counts timer interrupts against the clock; emulated ones come late where processors are scarce. */
const lateTimer = /IO-APIC \+ timer doesn't work/

/** Whether a boot failed by something that only an emulator without enough of a processor does. */
export const looksStarved = ({ accel, checks }: BootResult): boolean =>
  accel === 'tcg' && checks.some(({ status, detail }) => status === 'failed' && lateTimer.test(detail))
