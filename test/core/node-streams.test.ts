import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { from, sourceOf } from '../../lib/core/graph.js'
import { sinkStream, stageStream } from '../../lib/core/node-streams.js'
import type { OrderedSink } from '../../lib/core/sink-node.js'
import type { Stage } from '../../lib/core/types.js'
import { byteTarget } from '../../lib/run/sinks/byte-target.js'

async function* count(to: number): AsyncGenerator<number> {
  for (let value = 0; value < to; value++) yield value
}

/** Emits even numbers, out of order; `closed` counts calls of `close`. */
function evenStage(): Stage<number, number> & { closed: number } {
  const stage = {
    name: 'even',
    inFlightMax: 7,
    closed: 0,
    process: async (values: readonly number[]) => {
      for (let turns = (values[0] as number) % 5; turns > 0; turns--) await nextTurn()
      return values.map((value) => (value % 2 === 0 ? { emit: [value] } : { drop: 'odd' }))
    },
    close: () => {
      stage.closed++
    },
  }
  return stage
}

t.test('a stage and a sink work between Node streams, in input order', async (t) => {
  const stage = evenStage()
  const dropped: number[] = []
  const written: number[] = []
  let ended = 0
  const sink: OrderedSink<number> = {
    name: 'list',
    write: (released) => void written.push(...released.map(({ value }) => value as number)),
    end: () => void ended++,
  }
  const onSettled = (value: number) => void dropped.push(value)
  await pipeline(Readable.from(count(40)), stageStream(stage, { onSettled }), sinkStream(sink))
  t.strictSame(
    written,
    Array.from({ length: 20 }, (_, index) => 2 * index),
  )
  t.strictSame(
    dropped,
    Array.from({ length: 20 }, (_, index) => 2 * index + 1),
  )
  t.strictSame([stage.closed, ended], [1, 1])
})

t.test('an error in a stage destroys the pipeline with that error', async (t) => {
  const failing: Stage<number, number> = {
    name: 'failing',
    process: () => {
      throw new Error('deliberate')
    },
  }
  const nothing = new Writable({ objectMode: true, write: (_value, _encoding, done) => done() })
  await t.rejects(pipeline(Readable.from(count(3)), stageStream(failing), nothing), { message: 'deliberate' })
})

t.test('leaving the values of a graph early aborts its source and closes its stages', async (t) => {
  const stage = evenStage()
  let aborted = false
  const source = sourceOf({ name: 'numbers', unit: 'number' }, async function* (signal) {
    signal.addEventListener('abort', () => {
      aborted = true
    })
    yield* count(1e9)
  })
  const seen: number[] = []
  for await (const value of from(source).via(stage).values()) {
    seen.push(value)
    if (seen.length === 3) break
  }
  t.strictSame([seen, aborted, stage.closed], [[0, 2, 4], true, 1])
})

t.test('what a stage holds is released once the sink has written what was made of it, and not before', async (t) => {
  const events: string[] = []
  const stage: Stage<number, string> = {
    name: 'split',
    unit: 'part',
    process: (values, { hold }) =>
      values.map((value, index) => {
        hold?.(index, () => events.push(`release ${value}`))
        return { emit: [`${value}a`, `${value}b`] }
      }),
  }
  await from(count(2))
    .via(stage)
    .to({ name: 'list', write: (released) => void events.push(...released.map(({ value }) => `write ${value}`)) })
    .run().done
  for (const value of [0, 1]) {
    t.ok(events.indexOf(`release ${value}`) > events.indexOf(`write ${value}b`), `value ${value} of ${events}`)
  }
  let holds: unknown
  const looking: Stage<number, number> = {
    name: 'look',
    process: (values, { hold }) => {
      holds = hold
      return values.map((value) => ({ emit: [value] }))
    },
  }
  for await (const _ of from(count(1)).via(looking).values());
  t.equal(holds, null, 'a value that leaves the graph is never known to be unused')
})

t.test('an ordered stage receives its values in input order, also after one with concurrent calls', async (t) => {
  const seen: number[] = []
  const ordered: Stage<number, number> = {
    name: 'ordered',
    ordered: true,
    process: (values) => {
      seen.push(...values)
      return values.map((value) => ({ emit: [value] }))
    },
  }
  const graph = from(count(30)).via(evenStage()).via(ordered)
  for await (const _ of graph.values());
  t.strictSame(
    seen,
    Array.from({ length: 15 }, (_, index) => 2 * index),
  )
})

t.test('a stream that its owner closes ends a graph and a sink with an error, whatever they wait for', async (t) => {
  const closed = { code: 'KUN_SYSTEM' }
  /** Takes the first value for ever. */
  const stuck = (): Writable => new Writable({ objectMode: true, highWaterMark: 1, write: () => undefined })

  const waiting = stuck()
  const run = from(count(100)).to(waiting).run()
  while (waiting.writableLength === 0) await nextTurn()
  waiting.destroy()
  await t.rejects(run.done, closed, 'while it waits for drain')

  const unfinished = new Writable({
    objectMode: true,
    write: (_value, _encoding, done) => done(),
    final: () => undefined,
  })
  const ending = from(count(3)).to(unfinished).run()
  while (!unfinished.writableEnded) await nextTurn()
  unfinished.destroy()
  await t.rejects(ending.done, closed, 'while it waits for the end')

  const before = stuck()
  before.destroy()
  await t.rejects(from(count(3)).to(before).run().done, 'before it starts')

  const bytes = stuck()
  const target = byteTarget(bytes)
  const written = target.write([Buffer.from('row')])
  bytes.destroy()
  await t.rejects(written, closed, 'bytes of a sink, while they are written')
  await t.rejects(target.end(), closed, 'and at the end')
})
