import { Readable, Writable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { Credit } from '../../lib/core/credit.js'
import { from } from '../../lib/core/graph.js'
import type { OrderedSink, Released } from '../../lib/core/sink-node.js'
import { Child, comparePositions, type Outcome, type Stage } from '../../lib/core/types.js'
import { Random, testSeed } from '../support/random.js'

async function* count(to: number): AsyncGenerator<number> {
  for (let value = 0; value < to; value++) yield value
}

function collector<T>(): OrderedSink<T> & { released: Released<T>[] } {
  const released: Released<T>[] = []
  return { name: 'collector', released, write: (batch) => void released.push(...batch) }
}

const emit = <T>(...values: T[]): Outcome<T> => ({ emit: values })

/** Answers each call after a random number of turns of the event loop, so that later ones overtake earlier ones. */
function jitter<In, Out>(
  random: Random,
  turnsMax: number,
  each: (value: In) => Outcome<Out>,
): Stage<In, Out>['process'] {
  return async (values) => {
    for (let turns = random.between(0, turnsMax); turns > 0; turns--) await nextTurn()
    return values.map(each)
  }
}

t.test('values come to the sink in the order of the input, however late each stage answers', async (t) => {
  const random = new Random(testSeed())
  t.comment(`seed ${random.seed}`)
  const sink = collector<string>()
  await from(count(300), { name: 'numbers', unit: 'number' })
    .via({ name: 'double', inFlightMax: 50, process: jitter<number, number>(random, 9, (value) => emit(value * 2)) })
    .via({
      name: 'split',
      unit: 'part',
      inFlightMax: 7,
      process: jitter<number, string>(random, 3, (value) => emit(`${value}a`, `${value}b`)),
    })
    .via({ name: 'last', inFlightMax: 90, process: jitter<string, string>(random, 9, (value) => emit(value)) })
    .to(sink)
    .run().done
  t.same(
    sink.released.map(({ value }) => value),
    Array.from({ length: 300 }, (_, value) => [`${value * 2}a`, `${value * 2}b`]).flat(),
  )
})

t.test('random graphs account for every value: opened = settled + split, and nothing is left on the way', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}`)
  for (let round = 0; round < 40; round++) {
    const random = new Random(seed + round)
    const bytes = new Credit('bytes', random.between(1, 200))
    const items = new Credit('items', random.between(1, 30))
    const size = (value: number): number => (value * 37) % 90
    const sink = collector<unknown>()
    let largest = 0
    const outcome = (value: number): Outcome<number> => {
      if (random.chance(0.1)) return { drop: 'unlucky' }
      if (random.chance(0.05)) return { fail: new Error('broke') }
      return emit(value)
    }
    const splitting = (value: number): Outcome<number> => {
      if (random.chance(0.1)) return { drop: 'nothing in it' }
      const parts = Array.from({ length: random.between(1, 5) }, (_, index) =>
        random.chance(0.2) ? new Child(value + index, { drop: 'born dead' }) : value + index,
      )
      return { emit: parts }
    }
    const stalled = random.between(0, 6)
    const run = from(count(120), {
      name: 'numbers',
      unit: 'number',
      credit: {
        from: bytes,
        amount: (value) => {
          largest = Math.max(largest, size(value))
          return size(value)
        },
      },
    })
      .via({
        name: 'a',
        batchMax: random.between(1, 9),
        inFlightMax: random.between(1, 20),
        process: jitter(random, stalled, outcome),
      })
      .inOrder()
      .via({ name: 'b', unit: 'part', batchMax: random.between(1, 9), process: (values) => values.map(splitting) })
      .gate(items)
      .via({ name: 'c', unit: 'pair', inFlightMax: 200, process: jitter(random, stalled * 2, splitting) })
      .via({ name: 'd', inFlightMax: random.between(1, 200), process: jitter(random, stalled, outcome) })
      .to({
        name: 'slow',
        write: async (batch) => {
          if (random.chance(0.3)) await nextTurn()
          sink.released.push(...batch)
        },
      })
      .run()
    await run.done
    const { units, inFlight, nodes } = run.metrics()
    t.equal(inFlight, 0, `nothing on the way (seed ${random.seed})`)
    for (const [unit, { opened, split, settled }] of Object.entries(units)) t.equal(opened, split + settled, unit)
    t.equal(units.number?.opened, 120)
    const leaves = Object.values(units).reduce((sum, { settled }) => sum + settled, 0)
    t.equal(sink.released.length, leaves, 'each leaf is released once')
    for (const node of nodes)
      if (node.name.length === 1) {
        t.equal(node.inFlight, 0)
        if (node.name === 'a' || node.name === 'd')
          t.equal(node.in, node.out + node.dropped + node.failed, `node ${node.name} adds up`)
      }
    const positions = sink.released.map(({ position }) => position)
    const inOrder = positions.every(
      (position, index) => index === 0 || comparePositions(positions[index - 1] ?? [], position) < 0,
    )
    t.ok(inOrder, 'released in strictly rising positions')
    t.equal(sink.released.filter(({ endsOrigin }) => endsOrigin).length, 120, 'each source value ends exactly once')
    t.equal(bytes.inUse, 0)
    t.equal(items.inUse, 0)
    t.ok(bytes.peak <= Math.max(bytes.capacity, largest), 'byte credit is never passed but by one value alone')
    t.ok(items.peak <= items.capacity, 'item credit is never passed')
  }
})

t.test('at every instant what was read is what was released plus what is on the way', async (t) => {
  const credit = new Credit('values', 10)
  let released = 0
  const run = from(count(200), { name: 'numbers', unit: 'number', credit: { from: credit, amount: () => 1 } })
    .via({
      name: 'look',
      inFlightMax: 10,
      process: async (values) => {
        await nextTurn()
        const { units, inFlight } = run.metrics()
        t.equal(units.number?.opened, released + inFlight)
        t.ok(inFlight <= 11, 'credit plus the one in hand')
        return values.map((value) => emit(value))
      },
    })
    .to({
      name: 'count',
      write: (batch) => {
        released += batch.length
      },
    })
    .run()
  // The ledger settles after the sink returns: what the sink counted is settled by the next look.
  await run.done
  t.equal(released, 200)
})

t.test('a value larger than all credit is admitted alone', async (t) => {
  const credit = new Credit('bytes', 10)
  const sink = collector<number>()
  const sizes = [3, 500, 4, 4, 80]
  let together = 0
  await from(Readable.from(sizes), {
    name: 'sizes',
    unit: 'size',
    credit: { from: credit, amount: (size: number) => size },
  })
    .via({
      name: 'look',
      inFlightMax: 5,
      process: async (values) => {
        together = Math.max(together, credit.inUse)
        await nextTurn()
        if ((values[0] as number) > 10) t.equal(credit.inUse, values[0])
        return values.map((value) => emit(value))
      },
    })
    .to(sink)
    .run().done
  t.same(
    sink.released.map(({ value }) => value),
    sizes,
  )
  t.equal(credit.peak, 500)
})

t.test('a stage that breaks the contract stops the run with an error that says how', async (t) => {
  const cases: [string, Stage<number, number>, RegExp][] = [
    ['no outcome', { name: 'bad', process: () => [] }, /'bad' gave 0 outcomes for 1 values/],
    ['emit nothing', { name: 'bad', process: (values) => values.map(() => ({ emit: [] })) }, /a drop needs a reason/],
    [
      'split nothing',
      { name: 'bad', unit: 'part', process: (values) => values.map(() => ({ emit: [] })) },
      /a drop needs a reason/,
    ],
    [
      'emit two without a unit',
      { name: 'bad', process: (values) => values.map(() => emit(1, 2)) },
      /declares its unit/,
    ],
    [
      'throw',
      {
        name: 'bad',
        process: () => {
          throw new Error('deliberate')
        },
      },
      /deliberate/,
    ],
    ['reject', { name: 'bad', process: () => Promise.reject(new Error('deliberate')) }, /deliberate/],
  ]
  for (const [name, stage, message] of cases) {
    await t.rejects(from(count(5)).via(stage).to(collector<number>()).run().done, { message }, name)
  }
  t.throws(
    () =>
      from(count(1))
        .via({ name: 'x', process: () => [] })
        .via({ name: 'x', process: () => [] }),
    { code: 'KUN_GRAPH' },
  )
})

t.test('drain stops reading and lets what was read reach the sink; abort stops at once with its reason', async (t) => {
  const sink = collector<number>()
  let read = 0
  const source = async function* (): AsyncGenerator<number> {
    for (;;) {
      yield read++
      await nextTurn()
    }
  }
  const run = from(source())
    .via({ name: 'slow', inFlightMax: 8, process: jitter<number, number>(new Random(1), 5, (value) => emit(value)) })
    .to(sink)
    .run()
  while (sink.released.length < 20) await nextTurn()
  run.drain()
  await run.done
  t.equal(sink.released.length, run.metrics().units.value?.opened)
  t.equal(run.metrics().inFlight, 0)

  const controller = new AbortController()
  const stopped = from(count(1e9))
    .via({ name: 'hang', inFlightMax: 3, process: () => new Promise<never>(() => {}) })
    .to(collector())
    .run({ signal: controller.signal })
  await nextTurn()
  controller.abort(new Error('enough'))
  await t.rejects(stopped.done, { message: 'enough' })
})

t.test('a failing sink or source stops the run with its error', async (t) => {
  await t.rejects(
    from(count(9))
      .to({ name: 'full', write: () => Promise.reject(new Error('disk full')) })
      .run().done,
    { message: 'disk full' },
  )
  const broken = async function* (): AsyncGenerator<number> {
    yield 1
    throw new Error('shard gone')
  }
  await t.rejects(from(broken()).to(collector<number>()).run().done, { message: 'shard gone' })
})

t.test('any Writable is a sink: it gets what passed, in order, and its slowness is felt', async (t) => {
  const got: number[] = []
  const writable = new Writable({
    objectMode: true,
    highWaterMark: 2,
    write(value, _encoding, done) {
      got.push(value)
      setImmediate(done)
    },
  })
  await from(count(50))
    .via({ name: 'odd', process: (values) => values.map((value) => (value % 2 ? emit(value) : { drop: 'even' })) })
    .to(writable)
    .run().done
  t.same(
    got,
    Array.from({ length: 25 }, (_, index) => index * 2 + 1),
  )
})
