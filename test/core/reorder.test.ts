import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { from } from '../../lib/core/graph.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { SpillFile } from '../../lib/storage/spill-file.js'

const codec = {
  encode: (value: unknown) => Buffer.from(JSON.stringify(value)),
  decode: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString()) as unknown,
}

async function* texts(count: number): AsyncGenerator<string> {
  for (let index = 0; index < count; index++) yield `${index}:`.padEnd(100, '字')
}

t.test('finished values past reorderBytesMax wait in a file and come out in order, unchanged', async (t) => {
  const path = join(t.testdir(), 'spill')
  const spill = new SpillFile(nodeFiles, path, codec)
  let releaseFirst = (): void => {}
  const firstMayGo = new Promise<void>((resolve) => {
    releaseFirst = resolve
  })
  const released: unknown[] = []
  let others = 0
  const run = from(texts(500))
    .via({
      name: 'first one last',
      inFlightMax: 500,
      process: async (values) => {
        if (values[0]?.startsWith('0:')) await firstMayGo
        else if (++others === 499) setImmediate(releaseFirst)
        return values.map((value) => (value.startsWith('7:') ? { drop: 'seven' } : { emit: [value] }))
      },
    })
    .to(
      {
        name: 'collect',
        write: (batch) => void released.push(...batch.map(({ value, settlement }) => settlement?.reason ?? value)),
      },
      { bytesMax: 5000, sizeBytes: (value) => (value as string).length, spill },
    )
    .run()
  await run.done
  const expected: string[] = []
  for await (const text of texts(500)) expected.push(text.startsWith('7:') ? 'seven' : text)
  t.same(released, expected)
  t.ok(run.metrics().reorderPeakBytes <= 5000, 'memory stayed within its limit')
  t.ok(spill.peakBytes > 40_000, 'the rest was in the file')
  t.notOk(existsSync(path), 'the file is gone at the end')
})

t.test('a sink a hundred times slower than its stages is never overrun', async (t) => {
  let inside = 0
  let peak = 0
  let released = 0
  await from(texts(300))
    .via({
      name: 'fast',
      inFlightMax: 4,
      process: async (values) => {
        peak = Math.max(peak, ++inside)
        return values.map((value) => ({ emit: [value] }))
      },
    })
    .to({
      name: 'slow',
      write: async (batch) => {
        for (let turn = 0; turn < 100; turn++) await nextTurn()
        inside -= batch.length
        released += batch.length
      },
    })
    .run().done
  t.equal(released, 300)
  t.ok(peak < 40, `a slow sink holds back the source: at most ${peak} values were past the stage`)
})
