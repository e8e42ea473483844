import test from 'ava'
import type { BootResult } from '../../../src/core/boot/boot-result.ts'
import { looksStarved } from '../../../src/core/boot/starved.ts'

const failed = (detail: string, accel: BootResult['accel'] = 'tcg'): BootResult => ({
  status: 'failed',
  firmware: 'bios',
  accel,
  checks: [{ name: 'console', status: 'failed', detail }],
  durationMs: 1,
  serialLog: 'x.log',
})

test('only the emulator’s late timer is the machine’s fault', (t) => {
  const late = "the kernel panicked: Kernel panic - not syncing: IO-APIC + timer doesn't work!  Boot with"
  t.true(looksStarved(failed(late)))
  t.false(looksStarved(failed(late, 'kvm')))
  t.false(looksStarved(failed('the kernel panicked: Kernel panic - not syncing: VFS')))
})
