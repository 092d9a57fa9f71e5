import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { Credit } from '../../lib/core/credit.js'

const { signal } = new AbortController()

t.test('credit is granted in order of arrival: a small request does not overtake a large one', async (t) => {
  const credit = new Credit('bytes', 10)
  const granted: string[] = []
  await credit.take(6, signal)
  const large = credit.take(8, signal).then(() => granted.push('large'))
  const small = credit.take(1, signal).then(() => granted.push('small'))
  t.equal(credit.tryTake(1), false, 'nothing overtakes what waits')
  await nextTurn()
  t.strictSame([granted, credit.inUse, credit.waiting], [[], 6, 2])
  credit.give(6)
  await Promise.all([large, small])
  t.strictSame([granted, credit.inUse, credit.peak], [['large', 'small'], 9, 9])
})

t.test('an amount over the capacity is granted alone, once nothing is in use', async (t) => {
  const credit = new Credit('bytes', 10)
  await credit.take(1, signal)
  let granted = false
  const waiting = credit.take(500, signal).then(() => {
    granted = true
  })
  await nextTurn()
  t.equal(granted, false)
  credit.give(1)
  await waiting
  t.equal(credit.inUse, 500)
  t.equal(credit.tryTake(1), false)
})

t.test('an aborted request gives up its place, and those behind it are granted', async (t) => {
  const credit = new Credit('bytes', 10)
  const controller = new AbortController()
  await credit.take(5, signal)
  const aborted = credit.take(8, controller.signal)
  const behind = credit.take(4, signal)
  controller.abort(new Error('enough'))
  await t.rejects(aborted, { message: 'enough' })
  await behind
  t.strictSame([credit.inUse, credit.waiting], [9, 0])
  await t.rejects(credit.take(1, controller.signal), { message: 'enough' }, 'an aborted signal takes nothing')
  t.equal(credit.inUse, 9)
})

t.test('a capacity that is not positive, and credit returned twice, are refused', async (t) => {
  for (const capacity of [0, -1, Number.NaN]) {
    t.throws(() => new Credit('bytes', capacity), { code: 'KUN_INVALID_OPTION', message: /'bytes'/ }, String(capacity))
  }
  const credit = new Credit('bytes', 10)
  await credit.take(3, signal)
  t.throws(() => credit.give(4), { code: 'KUN_INVALID_OPTION' })
})
