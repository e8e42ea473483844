import test from 'ava'
import { finish, type Steps } from '../../../src/core/steps.ts'
import { inSlices } from '../../../src/effects/slices.ts'

function* sumTo(last: number): Steps<number> {
  let sum = 0
  for (let number = 1; number <= last; number++) {
    sum += number
    yield
  }
  return sum
}

function* endless(): Steps<never> {
  for (;;) yield
}

test('work in slices gives what the same work gives at once', async (t) => {
  t.is(await inSlices(sumTo(1000), undefined), 500_500)
  t.is(finish(sumTo(1000)), 500_500)
})

test('a timer gets its turn in the middle of work without an end, and an interrupt ends it', async (t) => {
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 10)
  await t.throwsAsync(inSlices(endless(), controller.signal), { code: 'E_CANCELLED' })
})
