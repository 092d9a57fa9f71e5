import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { limitConcurrent, mapConcurrent } from '../../lib/core/concurrent.js'
import { ContractError } from '../../lib/errors.js'

t.test('no more calls are in flight than the limit, and results keep the order of the items', async (t) => {
  let inFlight = 0
  let most = 0
  const items = Array.from({ length: 3000 }, (_, i) => i)
  const results = await mapConcurrent(items, 7, async (item, index) => {
    most = Math.max(most, ++inFlight)
    if (item % 3 === 0) await setImmediate()
    inFlight--
    return item * 2 + (index - item)
  })
  t.equal(most, 7)
  t.strictSame(
    results,
    items.map((item) => item * 2),
  )
})

t.test('fewer items than the limit, and none at all, are mapped as well', async (t) => {
  t.strictSame(await mapConcurrent(['a'], 16, async (item) => item.toUpperCase()), ['A'])
  t.strictSame(await mapConcurrent(new Set<string>(), 16, async (item) => item), [])
})

t.test(
  'after a failure no further call starts, and the failure is thrown once the calls in flight have ended',
  async (t) => {
    let started = 0
    let ended = 0
    const first = new Error('the third')
    const failed = mapConcurrent([0, 1, 2, 3, 4, 5, 6, 7], 4, async (item) => {
      started++
      try {
        if (item === 2) throw first
        await setImmediate()
        if (item === 3) throw new Error('a later failure')
      } finally {
        ended++
      }
    })
    await t.rejects(failed, first)
    t.equal(started, 4)
    t.equal(ended, 4)
  },
)

t.test('calls beyond the limit wait in order, and a failed one frees its slot for the next', async (t) => {
  const limited = limitConcurrent(3)
  const order: number[] = []
  let inFlight = 0
  let most = 0
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, number) =>
      limited(async () => {
        order.push(number)
        most = Math.max(most, ++inFlight)
        await setImmediate()
        inFlight--
        if (number % 7 === 0) throw new Error(`${number}`)
        return number
      }),
    ),
  )
  t.equal(most, 3)
  t.strictSame(
    order,
    Array.from({ length: 50 }, (_, number) => number),
  )
  t.equal(results.filter(({ status }) => status === 'rejected').length, 8)
  t.equal(await limited(async () => 'free again'), 'free again')
})

t.test('a limit that is not a positive integer is refused', async (t) => {
  for (const limit of [0, -1, 1.5, Number.NaN]) {
    await t.rejects(
      mapConcurrent([1], limit, async () => 1),
      ContractError,
    )
    t.throws(() => limitConcurrent(limit), ContractError)
  }
})
