import test from 'ava'
import { fuzzPatches } from '../../../bench/patch-fuzz.ts'

test('damaged patches neither crash nor hang the engine nor leave the tree', (t) => {
  t.deepEqual(fuzzPatches(3000, 7).failures, [])
})
