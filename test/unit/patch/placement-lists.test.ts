import test from 'ava'
import { applyTo, numbered, placementOf, textAfter } from '../../helpers/patch.ts'

const entry = (name: string): string => `config ${name}\n\tbool "${name}"\n\thelp\n\t  What ${name} is.\n\n`
const entries = (...names: readonly string[]): string => names.map(entry).join('')
const chips = Array.from({ length: 8 }, (_, at) => `MFD_CHIP_${at}`)

/** A hunk that adds an entry between two, as if they stood at line 4. */
const between = (before: string, name: string, after: string): string => {
  const added = entry(name).replaceAll(/^/gm, '+').slice(0, -1)
  return `--- a/f\n+++ b/f\n@@ -4,6 +4,11 @@\n \thelp\n \t  What ${before} is.\n \n${added} config ${after}\n \tbool "${after}"\n \thelp\n`
}

test('an entry among strangers in a list of its like is refused once the list has changed', (t) => {
  const patch = between('LPC', 'MFD_PUZZLE', 'PMIC')
  const result = applyTo(patch, { f: entries(...chips, 'LPC', 'PMIC') })
  t.is(result.status, 'refused')
  t.regex(placementOf(result).why, /away from those like it/)
  t.is(placementOf(result).candidates.length, 1)
  const best = applyTo(patch, { f: entries(...chips, 'LPC', 'PMIC') }, { bestEffort: true })
  t.is(placementOf(best).confidence, 'low')
})

test('the same entry is placed beside one of its like, or in a list of other names', (t) => {
  const beside = entries(...chips, 'LPC', 'MFD_PMIC')
  const kin = applyTo(between('LPC', 'MFD_PUZZLE', 'MFD_PMIC'), { f: beside })
  t.is(placementOf(kin).status, 'offset')
  const others = entries('A', 'B', 'C', 'D', 'E', 'F', 'G', 'MFD_X', 'LPC', 'PMIC')
  t.is(placementOf(applyTo(between('LPC', 'MFD_PUZZLE', 'PMIC'), { f: others })).status, 'offset')
})

const define = (name: string, id: string): string => `#define PHY_ID_${name}\t0x${id}\n`

test('a hunk whose neighbour went elsewhere in the list is refused', (t) => {
  const lead = [define('AQR112', '03a1b662'), define('AQR412', '03a1b712'), define('AQR113', '31c31c40')]
  const added = define('AQR112C', '03a1b790')
  const tail = `\n${numbered(1, 3)}`
  const patch = `--- a/f\n+++ b/f\n@@ -7,7 +7,8 @@\n ${lead.join(' ')}+${added}${tail.replaceAll(/^(?=.|\n)/gm, ' ')}`
  const [first, second, third] = lead
  const kept = `${numbered(20, 29)}${lead.join('')}${tail}`
  t.is(textAfter(applyTo(patch, { f: kept }), 'f'), kept.replace(third ?? '', `${third}${added}`))
  const reordered = `${numbered(20, 29)}${third}${define('AQR813', '31c31cb2')}${first}${second}${tail}`
  t.regex(placementOf(applyTo(patch, { f: reordered })).why, /stands elsewhere now/)
})

test('added lines stay behind a line that changed places with one between them', (t) => {
  const c = (name: string, value: number): string => `\tcase ${name}_CPU_ID:\n\t\treturn ${value};\n`
  const patch = `--- a/f\n+++ b/f\n@@ -20,6 +20,8 @@\n \t\treturn 48;\n \tcase BCM6368_CPU_ID:\n \t\treturn 38;\n+\tcase BCM63268_CPU_ID:\n+\t\treturn 52;\n \tcase BCM6348_CPU_ID:\n \tdefault:\n \t\treturn 37;\n`
  const head = numbered(1, 9) + c('BCM6345', 16) + c('BCM6368', 38) + c('BCM6362', 48)
  const tail = '\tcase BCM6348_CPU_ID:\n\tdefault:\n\t\treturn 37;\n\t}\n'
  t.is(textAfter(applyTo(patch, { f: head + tail }), 'f'), head + c('BCM63268', 52) + tail)
})
