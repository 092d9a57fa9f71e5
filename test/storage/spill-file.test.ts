import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { nodeFiles } from '../../lib/storage/files.js'
import { type SpillCodec, SpillFile } from '../../lib/storage/spill-file.js'

const codec: SpillCodec = {
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
}

t.test('values come back in any order; the file is emptied when none is left, and deleted at the end', async (t) => {
  const path = join(t.testdir(), 'reorder.spill')
  const spill = new SpillFile(nodeFiles, path, codec)
  t.equal(existsSync(path), false, 'no file without values')
  const values = Array.from({ length: 20 }, (_, number) => ({ number, text: '字'.repeat(number) }))
  const positions = []
  for (const value of values) positions.push(await spill.put(value))
  const fullBytes = statSync(path).size
  t.equal(spill.peakBytes, fullBytes)
  for (const number of [19, 0, 7, ...Array.from({ length: 20 }, (_, each) => each)]) {
    const position = positions[number]
    if (position === undefined) continue
    t.strictSame(await spill.get(position), values[number])
    positions[number] = undefined as never
  }
  await spill.put('again')
  t.equal(statSync(path).size, JSON.stringify('again').length, 'it starts from its beginning')
  t.equal(spill.peakBytes, fullBytes)
  await spill.close()
  t.equal(existsSync(path), false)
})

t.test('a value that is read before one was written is an error', async (t) => {
  const spill = new SpillFile(nodeFiles, join(t.testdir(), 'reorder.spill'), codec)
  await t.rejects(spill.get({ offset: 0, lengthBytes: 1 }), { code: 'KUN_CONTRACT' })
  await spill.close()
})
