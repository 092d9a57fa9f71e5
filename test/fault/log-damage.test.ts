/** Damage inside an append log: what can still be read, and that nothing else is taken for a record. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type LogContents, openAppendLog, readAppendLog, salvageAppendLog } from '../../lib/storage/append-log.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { encodeFrame, frameHeadBytes } from '../../lib/storage/frames.js'

const header = { kind: 'test' }
const payloads = ['', '一', 'two', '三三三', 'x'.repeat(60), 'last'].map((text) => Buffer.from(text))

async function written(path: string, records: readonly Uint8Array[] = payloads): Promise<number[]> {
  const log = await openAppendLog({ files: nodeFiles, path, header })
  const starts = [0, ...records.map((payload) => log.append(payload)), log.bytes]
  await log.close()
  return starts
}

async function read(path: string): Promise<LogContents & { found: string[] }> {
  const found: string[] = []
  const log = await readAppendLog(
    { files: nodeFiles, path },
    (payload) => void found.push(String(Buffer.from(payload))),
  )
  return { ...log, found }
}

t.test('a flipped bit costs only the record that it is in', async (t) => {
  const path = join(t.testdir(), 'a.log')
  const starts = await written(path)
  const whole = readFileSync(path)
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const at = bit >> 3
    const bytes = Buffer.from(whole)
    bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7))
    writeFileSync(path, bytes)
    const hit = starts.findLastIndex((start) => start <= at) - 1
    const { found, damage, tornBytes, header: settings } = await read(path)
    const kept = payloads.filter((_, place) => place !== hit).map(String)
    if (found.join() !== kept.join()) t.strictSame(found, kept, `bit ${bit}`)
    const isLast = hit === payloads.length - 1
    const where = isLast ? null : starts[hit + 1]
    if ((damage?.offset ?? null) !== where) t.equal(damage?.offset, where, `bit ${bit}: where the damage is`)
    if (damage !== null && damage.count !== 1) t.equal(damage.count, 1, `bit ${bit}: one damaged frame`)
    if (tornBytes > 0 !== isLast) t.equal(tornBytes > 0, isLast, `bit ${bit}: only the last frame may be torn`)
    if ((settings === null) !== hit < 0) t.equal(settings === null, hit < 0, `bit ${bit}: the header is damaged`)
  }
  t.pass(`${whole.length * 8} bits`)
})

t.test('a log with damage before valid frames is not opened for writing, and not changed', async (t) => {
  const path = join(t.testdir(), 'a.log')
  const starts = await written(path)
  const bytes = readFileSync(path)
  bytes[(starts[3] as number) + frameHeadBytes] = 0xff
  writeFileSync(path, bytes)
  await t.rejects(openAppendLog({ files: nodeFiles, path, header }), {
    code: 'KUN_CORRUPT_FILE',
    details: { path, offset: starts[3] as number },
  })
  t.strictSame(readFileSync(path), bytes)
  await salvageAppendLog(nodeFiles, path, header)
  const { found, damage } = await read(path)
  t.strictSame([found, damage], [payloads.filter((_, place) => place !== 2).map(String), null], 'rewritten without it')
  await (await openAppendLog({ files: nodeFiles, path, header })).close()
})

t.test('several damaged frames are counted one by one, the header among them', async (t) => {
  const path = join(t.testdir(), 'a.log')
  const starts = await written(path)
  const bytes = readFileSync(path)
  for (const frame of [0, 3, 4]) bytes[(starts[frame] as number) + frameHeadBytes] = 0xff
  writeFileSync(path, bytes)
  const { found, damage, header: settings } = await read(path)
  t.strictSame(found, ['', '一', 'x'.repeat(60), 'last'])
  t.match(damage, { count: 3, offset: 0, header: true })
  t.equal(settings, null)
})

t.test('a log cut at any byte, with or without zeros after it, has a torn tail and no damage', async (t) => {
  const path = join(t.testdir(), 'a.log')
  const starts = await written(path)
  const whole = readFileSync(path)
  for (let length = starts[1] as number; length <= whole.length; length++) {
    for (const zeros of [0, 1, 300]) {
      writeFileSync(path, Buffer.concat([whole.subarray(0, length), Buffer.alloc(zeros)]))
      const { found, damage, bytes } = await read(path)
      const kept = starts.filter((start) => start > (starts[1] as number) && start <= length).length
      // The bytes cut off may have been zeros: then nothing is missing.
      const same = Buffer.concat([whole.subarray(0, length), Buffer.alloc(zeros)]).subarray(0, whole.length)
      const all = same.length === whole.length && same.equals(whole) ? payloads.length : kept
      if (found.length !== all || damage !== null) t.fail(`${length} bytes, ${zeros} zeros: ${found.length} of ${all}`)
      if (bytes !== starts[all + 1]) t.equal(bytes, starts[all + 1], `${length} bytes, ${zeros} zeros`)
    }
  }
  t.pass(`${whole.length} lengths`)
})

t.test('frames inside a payload, and frames at another offset than they were written, are not records', async (t) => {
  const path = join(t.testdir(), 'a.log')
  const inner = encodeFrame(Buffer.from('inner'), 0)
  const starts = await written(path, [Buffer.from('first'), Buffer.concat([inner, inner]), Buffer.from('last')])
  const whole = readFileSync(path)
  const damaged = Buffer.from(whole)
  damaged[(starts[2] as number) + frameHeadBytes + inner.length - 1] = 0xff
  damaged[(starts[2] as number) + 1] = 0xff
  writeFileSync(path, damaged)
  t.strictSame(
    (await read(path)).found,
    ['first', 'last'],
    'the payload of a damaged frame is not searched for records',
  )

  const first = whole.subarray(starts[1], starts[2])
  writeFileSync(path, Buffer.concat([whole.subarray(0, starts[2]), first, whole.subarray(starts[2])]))
  const { found, tornBytes } = await read(path)
  t.strictSame(found, ['first'], 'what was written twice counts once, and what it pushed away is not where it was')
  t.ok(tornBytes > 0)
})

t.test('finding the next record after megabytes of noise takes linear time', { timeout: 60_000 }, async (t) => {
  const path = join(t.testdir(), 'a.log')
  const records = [Buffer.alloc(2_000_000, 'ab'), ...Array.from({ length: 500 }, () => Buffer.alloc(4000, 'cd'))]
  const starts = await written(path, [...records, Buffer.from('last')])
  const bytes = readFileSync(path)
  for (let at = starts[1] as number; at < (starts.at(-2) as number); at++) bytes[at] = (at * 2654435761) >>> 13
  writeFileSync(path, bytes)
  const startedMs = performance.now()
  const { found, damage } = await read(path)
  t.strictSame(found, ['last'])
  t.equal(damage?.count, 1)
  t.ok(performance.now() - startedMs < 20_000, `${Math.round(performance.now() - startedMs)} ms`)

  const each = readFileSync(path)
  await written(`${path}2`, records)
  readFileSync(`${path}2`).copy(each)
  for (const start of starts.slice(1, -2)) each[start + frameHeadBytes] = 0
  writeFileSync(path, each)
  const again = await read(path)
  t.strictSame(again.found, ['last'], 'every payload damaged, every head whole')
  t.equal(again.damage?.count, records.length)
})

t.test('a log of an earlier format is refused by its version, not reported as damage', async (t) => {
  const path = join(t.testdir(), 'a.log')
  const json = Buffer.from(JSON.stringify({ magic: 'kun-stream log', version: 1, settings: header }))
  writeFileSync(path, Buffer.concat([Buffer.from([json.length, 0, 0, 0, 1, 2, 3, 4]), json]))
  const refusal = { name: 'RunMismatchError', message: /log format 1.*writes 2/ }
  await t.rejects(read(path), refusal)
  await t.rejects(openAppendLog({ files: nodeFiles, path, header }), refusal)
})
