/** What goes wrong around units: races, kills, damaged files, refused records. */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { openObjectStore } from '../../lib/objects/open-store.js'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { queuedRunOf } from '../../lib/queue/queued-run.js'
import { verifyDirectory } from '../../lib/run/verify.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { openUnits } from '../../lib/units/open-units.js'
import { failuresPrefix, planDoneKey, planKey, resultKey, unitKey } from '../../lib/units/unit-keys.js'
import { UnitProgressReader } from '../../lib/units/unit-progress.js'
import { command } from '../support/commands.js'
import { assembleTiny, generateTiny, plannedIds, prepareTiny } from '../support/divided.js'
import { isAboutRecord } from '../support/record-requests.js'
import { bytesOf, runTiny } from '../support/session.js'

t.setTimeout(300_000)

/** Rows of all parts of a folder. */
async function rowsIn(directory: string, folder: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for (const name of readdirSync(join(directory, folder)).sort()) {
    const part = await openPart(join(directory, folder, name))
    for await (const row of rowsOf(part)) rows.push(row)
    await part.close()
  }
  return rows
}

t.test('two attempts at each unit with different replies: every result is of one attempt', async (t) => {
  const server = await startSimulator({ nonce: true })
  t.teardown(() => server.close())
  const directory = join(t.testdir(), 'run')
  await prepareTiny({ directory, endpoint: server.url, small: true, set: ['output.candidatesPerCut=30'] })
  const ids = await plannedIds(directory)
  const ends = await Promise.all([generateTiny(directory, ids, 2), generateTiny(directory, ids, 2)])
  t.equal(ends.flat().filter((end) => end === 'committed').length, ids.length, 'one result for each unit')
  t.match(await assembleTiny(directory), { end: 'complete' })
  for (const id of ids) {
    const { attempt, files } = JSON.parse(readFileSync(join(directory, resultKey(id)), 'utf8'))
    t.strictSame(readdirSync(join(directory, 'attempts', id)), [attempt], 'the other attempt is deleted')
    for (const { path } of files) {
      const [part, own] = [join(directory, path), join(directory, 'attempts', id, attempt, path)].map((file) =>
        readFileSync(file),
      )
      t.ok(part?.equals(own as Buffer), 'the part is that of the attempt')
    }
  }
  t.match(await verifyDirectory(directory), { findings: [] })
})

t.test('a generate that is killed leaves nothing that counts, and its replies are used', async (t) => {
  const server = await startSimulator({ preset: 'delay', latencyMs: 30 })
  t.teardown(() => server.close())
  const root = t.testdir()
  const [single, directory] = [join(root, 'single'), join(root, 'run')]
  await runTiny({ directory: single, endpoint: server.url, small: true })
  const before = server.requests().length
  await prepareTiny({ directory, endpoint: server.url, small: true })
  const first = command('bin/kun-stream.js', ['generate', directory])
  await first.said('is generated')
  first.child.kill('SIGKILL')
  await first.ended
  t.match(await assembleTiny(directory), { end: 'gap' }, 'assembly waits for the rest')
  const both = ['1/2', '2/2'].map((part) => command('bin/kun-stream.js', ['generate', directory, '--part', part]).ended)
  for (const { code, err } of await Promise.all(both)) t.equal(code, 0, err)
  t.match(await assembleTiny(directory), { end: 'complete' })
  t.strictSame(bytesOf(directory), bytesOf(single))
  const bodies = server
    .requests()
    .slice(before)
    .flatMap(({ body }) => (body.includes('"seed"') ? [body] : []))
  const repeated = bodies.length - new Set(bodies).size
  t.ok(repeated <= 128 + 24, `${repeated} of ${bodies.length} requests were made twice: those in flight at the kill`)
})

t.test('damaged unit files and parts are named, and the units are made again', async (t) => {
  const server = await startSimulator({ nonce: true })
  t.teardown(() => server.close())
  const directory = join(t.testdir(), 'run')
  const run = { directory, endpoint: server.url, small: true }
  await prepareTiny(run)
  const ids = await plannedIds(directory)
  const [first = '', second = '', third = ''] = ids
  truncateSync(join(directory, unitKey(1)), 100)
  await t.rejects(generateTiny(directory, [second]), {
    code: 'KUN_CORRUPT_FILE',
    message: /000001\.jsonl\.gz.*prepare/s,
  })
  const units = await openUnits(directory)
  t.match(await units.failures(second), [{ code: 'KUN_CORRUPT_FILE' }])
  await units.close()
  t.match(await prepareTiny(run), { added: ids.length - 1, units: ids.length })
  t.strictSame(await plannedIds(directory), ids, 'the same ids')
  await generateTiny(directory, ids)
  t.match(await assembleTiny(directory), { end: 'complete' })
  const expected = bytesOf(directory)

  const partsOf = (id: string): string[] => {
    const { attempt, files } = JSON.parse(readFileSync(join(directory, resultKey(id)), 'utf8'))
    return files.map(({ path }: { path: string }) => join(directory, 'attempts', id, attempt, path))
  }
  rmSync(partsOf(first)[0] as string)
  const [damaged = ''] = partsOf(third)
  const bytes = readFileSync(damaged)
  rmSync(damaged)
  writeFileSync(damaged, bytes.fill(0, 20, 24))
  const requests = server.requests().length
  const into = join(directory, '../again')
  t.match(await assembleTiny(directory, [], into), { end: 'gap', cuts: 0, damaged: [first, third] })
  t.strictSame(
    await generateTiny(directory, ids),
    ids.map((id) => ([first, third].includes(id) ? 'committed' : 'already')),
  )
  t.match(await assembleTiny(directory, [], into), { end: 'complete' })
  t.strictSame(bytesOf(into), expected, 'the replies of the first attempt give the same rows')
  const asked = server.requests().slice(requests).filter(isAboutRecord)
  t.equal(asked.length, 0, 'no record is requested again')
})

t.test('a damaged plan is reported by every reader, and prepare makes it again', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const directory = join(t.testdir(), 'run')
  const run = { directory, endpoint: server.url, small: true }
  await prepareTiny(run)
  const ids = await plannedIds(directory)
  await generateTiny(directory, ids)
  await assembleTiny(directory)
  const expected = bytesOf(directory)
  const units = ids.length
  const flip = (path: string): void => {
    const bytes = readFileSync(path)
    const at = bytes.length >> 1
    bytes[at] = (bytes[at] as number) ^ 1
    writeFileSync(path, bytes)
  }
  const damages: [string, (path: string) => void][] = [
    [planKey(0), flip],
    [planKey(0), (path) => truncateSync(path, statSync(path).size - 3)],
    [planKey(0), (path) => truncateSync(path, 0)],
    [planKey(0), (path) => rmSync(path)],
    [planKey(0), (path) => writeFileSync(path, readFileSync(path, 'utf8').replace(/.*\n$/, ''))],
    [planDoneKey, flip],
    [planDoneKey, (path) => truncateSync(path, 9)],
  ]
  for (const [key, damage] of damages) {
    damage(join(directory, key))
    const damaged = { code: 'KUN_CORRUPT_FILE', message: /plan\/.*is damaged.*Run `kun-stream prepare` again/s }
    const reader = new UnitProgressReader(await openObjectStore(directory, { readOnly: true }))
    await t.rejects(reader.read(), damaged, `status: ${key} ${damage}`)
    await t.rejects(plannedIds(directory), damaged, `generate: ${key} ${damage}`)
    await t.rejects(assembleTiny(directory), damaged, `assemble: ${key} ${damage}`)
    t.match(await prepareTiny(run), { units }, 'prepare repairs what the others refuse')
    t.strictSame(await plannedIds(directory), ids, 'the same ids')
    t.match(await assembleTiny(directory), { end: 'complete' })
  }
  t.strictSame(bytesOf(directory), expected)
})

t.test('strange files and damaged records of failures end no command', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const directory = join(t.testdir(), 'run')
  await prepareTiny({ directory, endpoint: server.url, small: true })
  const ids = await plannedIds(directory)
  const [first = ''] = ids
  mkdirSync(join(directory, failuresPrefix(first)), { recursive: true })
  for (const path of ['failed/.DS_Store', 'results/.DS_Store', `${failuresPrefix(first)}.nfs01`]) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), 'x')
  }
  writeFileSync(join(directory, failuresPrefix(first), 'aa.json'), '{"code":')
  const units = await openUnits(directory)
  t.teardown(() => units.close())
  t.match(await units.failures(first), [{ attempt: 'aa', code: 'KUN_CORRUPT_FILE' }], 'it counts as a failure')
  const queued = queuedRunOf(units)
  t.strictSame(await queued.listFailedAttempts(), new Map([[first, 1]]))
  t.match(await new UnitProgressReader(units.store).read(), { planned: ids.length, failed: 1, failedAttempts: 1 })
  await generateTiny(directory, ids)
  t.match(await assembleTiny(directory), { end: 'complete' })
})

t.test('a prepare that stops inside a unit ends, and leaves no part of it', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const directory = join(t.testdir(), 'run')
  const run = { directory, endpoint: server.url, small: true }
  const nothing = ['prepare.quality.charsMin=100000', 'brakes.sameEndingRecords=20']
  await t.rejects(prepareTiny({ ...run, set: nothing }), { code: 'KUN_NO_YIELD' })
  t.strictSame(
    readdirSync(directory).filter((name) => name.includes('unit')),
    [],
  )
})

t.test('a decision drops a record of a unit as a reject', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir()
  const [single, directory] = [join(root, 'single'), join(root, 'run')]
  await runTiny({ directory: single, endpoint: server.url, small: true })
  await prepareTiny({ directory, endpoint: server.url, small: true })
  const ids = await plannedIds(directory)
  const rows = await rowsIn(single, 'data')
  const rejected = new Set((await rowsIn(single, 'rejects')).map(({ id }) => id))
  const units = await openUnits(directory)
  const poison = await candidateOf(directory, rejected)
  await units.decideRecord(ids[0] as string, poison, 'unit-poison')
  await units.decideRecord(ids[0] as string, poison, 'unit-poison')
  t.equal(readdirSync(join(directory, 'decided', ids[0] as string)).length, 1, 'decided once')
  await units.close()
  await generateTiny(directory, ids)
  t.match(await assembleTiny(directory), { end: 'complete' })
  const found = (await rowsIn(directory, 'rejects')).filter(({ reason }) => reason === 'unit-poison')
  t.match(found, [{ id: poison, stage: 'dedup' }])
  t.equal((await rowsIn(directory, 'data')).length, rows.length - 1)
  t.match(await verifyDirectory(directory), { findings: [] })
})

/** Id of the first candidate of the first unit that becomes a row: one variant a chunk, and no reject of it. */
async function candidateOf(directory: string, rejected: ReadonlySet<unknown>): Promise<string> {
  const { readUnitFile } = await import('../../lib/units/unit-file.js')
  const { recordId } = await import('../../lib/text/identity.js')
  for await (const { records } of readUnitFile(join(directory, unitKey(0)))) {
    for (const record of records) {
      if (!('text' in record)) continue
      const { id, split, shard, offset, chunk } = record
      if (!rejected.has(id) && !rejected.has(recordId(split, shard, offset, chunk, 0))) return id
    }
  }
  throw new Error('no candidate')
}
