/** The two journals that a run trusts after a crash, with bytes altered at random: what is read was written, in its order, or an error of ours. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import t from 'tap'
import { CorruptFileError } from '../../lib/errors.js'
import { type ManifestEntry, readManifest } from '../../lib/sinks/index.js'
import { formatLine } from '../../lib/sinks/manifest.js'
import { openAppendLog, readAppendLog } from '../../lib/storage/append-log.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { manifestName } from '../../lib/storage/run-layout.js'
import { Random, testSeed } from '../support/random.js'

const seed = testSeed()
const random = new Random(seed)
/** KUN_FUZZ gives another number of rounds. */
const rounds = Number(process.env.KUN_FUZZ ?? 400)

/** What disks and hands do to a file: bits flipped, the end lost, a stretch zeroed, overwritten or pushed apart. */
const alterations: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  flipped(bytes) {
    const at = random.between(0, bytes.length - 1)
    bytes[at] = (bytes[at] as number) ^ (1 << random.between(0, 7))
    return bytes
  },
  'cut short': (bytes) => bytes.subarray(0, random.between(0, bytes.length - 1)),
  zeroed: (bytes) => bytes.fill(0, ...stretch(bytes)),
  'overwritten with noise'(bytes) {
    const [from, to] = stretch(bytes)
    noise(to - from).copy(bytes, from)
    return bytes
  },
  'pushed apart'(bytes) {
    const at = random.between(0, bytes.length)
    return Buffer.concat([bytes.subarray(0, at), noise(random.between(1, 40)), bytes.subarray(at)])
  },
  'grown by noise': (bytes) => Buffer.concat([bytes, noise(random.between(1, 2000))]),
}

function stretch(bytes: Buffer): [number, number] {
  const from = random.between(0, bytes.length - 1)
  return [from, random.between(from + 1, Math.min(bytes.length, from + 60))]
}

function noise(bytes: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, () => random.between(0, 255)))
}

/** One to three alterations of a copy, and what they were. */
function altered(whole: Buffer): { bytes: Buffer; how: string } {
  let bytes: Buffer = Buffer.from(whole)
  const how: string[] = []
  for (let count = random.between(1, 3); count > 0 && bytes.length > 0; count--) {
    const name = Object.keys(alterations)[random.between(0, Object.keys(alterations).length - 1)] as string
    bytes = (alterations[name] as (bytes: Buffer) => Buffer)(bytes)
    how.push(name)
  }
  return { bytes, how: how.join(', ') }
}

/** The answer, or null for the one kind of error that damage may end in; any other fails the test by its message. */
async function unlessCorrupt<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof CorruptFileError) return null
    throw error
  }
}

function entry(cut: number): ManifestEntry {
  const sha256 = String(cut % 10).repeat(64)
  const path = `data/split_${cut}-${String(cut).padStart(6, '0')}-000.parquet`
  const files = [{ path, split: `split_${cut}`, rows: 3 + cut, bytes: 1000, sha256 }]
  return { cut, blocks: cut + 1, cursor: { at: cut, 名: '中文' }, dedupLogBytes: 10 * cut, counters: {}, files }
}

t.test(`an altered manifest gives its first cuts or is refused, never another cut (seed ${seed})`, async (t) => {
  const directory = t.testdir()
  const entries = Array.from({ length: 6 }, (_, cut) => entry(cut))
  const whole = Buffer.from(entries.map(formatLine).join(''))
  let shorter = 0
  for (let round = 0; round < rounds; round++) {
    const { bytes, how } = altered(whole)
    writeFileSync(join(directory, manifestName), bytes)
    const found = await unlessCorrupt(readManifest(directory))
    if (found === null) continue
    if (found.length < entries.length) shorter++
    if (JSON.stringify(found) !== JSON.stringify(entries.slice(0, found.length))) {
      t.strictSame(found, entries.slice(0, found.length), `round ${round}: ${how}`)
    }
  }
  t.ok(shorter > 0, `${shorter} of ${rounds} manifests lost cuts at their end`)
})

t.test('a manifest line with a right checksum and wrong contents is refused: no path leads elsewhere', async (t) => {
  const directory = t.testdir()
  const signed = (json: string) => `${json.slice(0, -1)},"crc32":"${crc32(json).toString(16).padStart(8, '0')}"}\n`
  const good = entry(0)
  const [file] = good.files
  const paths = [
    '../escaped-000000-000.parquet',
    '/etc/data/x-000000-000.parquet',
    'data/../../x-000000-000.parquet',
    'data/a/b-000000-000.parquet',
    'data/s-000000-000.parquet/../../../x',
    'data\\..\\x-000000-000.parquet',
    'rejects/../run.json',
    'data/s-000000-000.parquet\n',
    'run.json',
    '',
  ]
  const wrong = [
    ...paths.map((path) => JSON.stringify({ ...good, files: [{ ...file, path }] })),
    JSON.stringify({ ...good, blocks: -1 }),
    JSON.stringify({ ...good, files: [{ ...file, rows: 0 }] }),
    JSON.stringify({ ...good, files: {} }),
    '{"no":json}',
    '{}',
  ]
  for (const json of wrong) {
    writeFileSync(join(directory, manifestName), signed(json))
    await t.rejects(readManifest(directory), CorruptFileError, json.slice(0, 160))
  }
  writeFileSync(join(directory, manifestName), signed(JSON.stringify(good)))
  t.same(await readManifest(directory), [good], 'the same line with nothing wrong is read')
})

t.test(
  `an altered append log gives records that were written, in order, or is refused, never another record (seed ${seed})`,
  async (t) => {
    const path = join(t.testdir(), 'a.log')
    const header = { kind: 'fuzz' }
    const payloads = Array.from({ length: 12 }, (_, place) =>
      Buffer.concat([Buffer.from([place]), noise(random.between(0, 300))]),
    )
    const log = await openAppendLog({ files: nodeFiles, path, header })
    for (const payload of payloads) log.append(payload)
    await log.flush()
    const whole = Buffer.from(
      await nodeFiles.open(path, 'read').then(async (file) => {
        const bytes = await file.read(0, log.bytes)
        await file.close()
        return bytes
      }),
    )
    await log.close()
    const wereWritten = (found: readonly Buffer[]) => {
      let place = -1
      return found.every((payload) => {
        place = payloads.findIndex((written, at) => at > place && written.equals(payload))
        return place >= 0
      })
    }
    let [shorter, damaged] = [0, 0]
    for (let round = 0; round < rounds; round++) {
      const { bytes, how } = altered(whole)
      writeFileSync(path, bytes)
      const streamed: Buffer[] = []
      const read = await unlessCorrupt(
        readAppendLog({ files: nodeFiles, path }, (payload) => void streamed.push(Buffer.from(payload))),
      )
      if (!wereWritten(streamed)) t.fail(`round ${round}: ${how}: a record was read that was not written`)
      if (read !== null && streamed.length < payloads.length) shorter++
      if (read?.damage) damaged++
      // Opening fsyncs: not in every round.
      if (round % 8 !== 0) continue
      const kept: Buffer[] = []
      const opened = await unlessCorrupt(
        openAppendLog({ files: nodeFiles, path, header, onRecord: (payload) => void kept.push(Buffer.from(payload)) }),
      )
      t.equal(opened === null, read === null || read.damage !== null, `round ${round}: ${how}: opened if undamaged`)
      if (opened === null) continue
      t.equal(kept.length, streamed.length, `round ${round}: ${how}: as many records by opening as by streaming`)
      const added = opened.append(Buffer.from('next'))
      t.equal(Buffer.from(await opened.read(added)).toString(), 'next')
      await opened.close()
    }
    t.ok(shorter > damaged, `${shorter} of ${rounds} logs lost records`)
    t.ok(damaged > 0, `${damaged} of ${rounds} logs kept records behind damage`)
  },
)

t.test(`what is committed of an append log is all there, or it is refused (seed ${seed})`, async (t) => {
  const path = join(t.testdir(), 'a.log')
  const header = { kind: 'fuzz' }
  const payloads = Array.from({ length: 8 }, () => noise(random.between(0, 200)))
  const log = await openAppendLog({ files: nodeFiles, path, header })
  for (const payload of payloads.slice(0, 5)) log.append(payload)
  const fromBytes = log.bytes
  for (const payload of payloads.slice(5)) log.append(payload)
  await log.close()
  const file = await nodeFiles.open(path, 'read')
  const whole = Buffer.from(await file.read(0, log.bytes))
  await file.close()
  let refused = 0
  for (let round = 0; round < rounds / 8; round++) {
    const { bytes, how } = altered(whole)
    writeFileSync(path, bytes)
    const kept: Buffer[] = []
    const onRecord = (payload: Uint8Array) => void kept.push(Buffer.from(payload))
    const opened = await unlessCorrupt(openAppendLog({ files: nodeFiles, path, header, fromBytes, onRecord }))
    if (opened === null) refused++
    else {
      t.ok(
        bytes.subarray(0, fromBytes).equals(whole.subarray(0, fromBytes)),
        `round ${round}: ${how}: nothing of it was altered`,
      )
      t.strictSame(kept, payloads.slice(0, 5))
      t.equal(opened.bytes, fromBytes)
      await opened.close()
    }
  }
  t.ok(refused > 0, `${refused} logs were refused`)
})
