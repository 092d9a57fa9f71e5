import { randomBytes } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Clock } from '../../lib/core/types.js'
import { mirrorRun, mirrorWhile, openMirror, restoreFromMirror } from '../../lib/publish/mirror.js'
import { Snapshots, snapshotSchema } from '../../lib/publish/mirror-snapshot.js'
import { openMirrorStore } from '../../lib/publish/mirror-stores.js'
import { startHub } from '../../lib/simulator/hub/index.js'
import { startS3 } from '../../lib/simulator/s3/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { lockRunDirectory } from '../../lib/storage/lock/lock.js'
import { dataFolder, durableFiles, localFiles, logFolders, manifestName } from '../../lib/storage/run-layout.js'
import { contentsOf, makeRun } from '../support/mirrored-run.js'
import { addCuts } from '../support/run-directory.js'

const token = 'hf_writer'

for (const kind of ['a folder', 'the Hub', 'a bucket'] as const) {
  t.test(`a run goes on from ${kind} after its machine is gone; each pass sends only what is new`, async (t) => {
    const root = t.testdir({ run: {}, again: {}, mirror: {} })
    const hub = await startHub({ directory: join(root, 'hub') })
    t.teardown(() => hub.close())
    const [directory, again] = [join(root, 'run'), join(root, 'again')]
    const places = { 'a folder': join(root, 'mirror'), 'the Hub': 'hub:me/state', 'a bucket': 's3://kun/runs/state' }
    const place = places[kind]
    const s3 = await startS3({ directory: join(root, 's3') })
    t.teardown(() => s3.close())
    t.intercept(process, 'env', { value: { ...process.env, ...s3.environment } })
    const connection = { hubUrl: hub.url, token, connection: { triesMax: 2, backoffMs: 0 } }
    await makeRun(directory)
    const missing = { code: 'KUN_SOURCE_NOT_FOUND', message: /holds no mirror yet/ } as never
    await t.rejects(restoreFromMirror({ directory: again, from: place, ...connection }), missing)
    const mirror = await openMirror({ directory, to: place, ...connection })
    t.teardown(() => mirror.close())
    t.match(await mirror.pass(), { cuts: 2, piecesSent: 11 })
    t.match(await mirror.pass(), { piecesSent: 0, bytesSent: 0 }, 'nothing new')
    await addCuts(directory, { cuts: 1 })
    appendFileSync(join(directory, 'dedup', 'index'), randomBytes(10))
    renameSync(join(directory, 'replies', '000002.log'), join(directory, 'replies', '000002.pack'))
    writeFileSync(join(directory, 'data', 'wudao-000003-000.parquet.writing'), 'not committed')
    writeFileSync(join(directory, 'report.html'), 'can be made again')
    t.match(await mirror.pass(), { cuts: 3, piecesSent: 5 }, 'two parts, the log, statistics and manifest')
    const wanted = contentsOf(directory)
    delete wanted['data/wudao-000003-000.parquet.writing']
    delete wanted['report.html']
    rmSync(directory, { recursive: true })
    const restored = await restoreFromMirror({ directory: again, from: place, ...connection })
    t.match(restored, { cuts: 3, files: Object.keys(wanted).length })
    t.same(contentsOf(again), wanted)
    t.equal((await readManifest(again)).length, 3)
    await addCuts(again, { cuts: 1 })
    t.match(await mirrorRun({ directory: again, to: place, ...connection }), { cuts: 4, piecesSent: 4 })
    const held = { code: 'KUN_RUN_MISMATCH', message: /holds a run: restore to an empty directory/ } as never
    await t.rejects(restoreFromMirror({ directory: again, from: place, ...connection }), held)
  })
}

t.test('of two that restore to one directory, one does; neither does where a run works', async (t) => {
  const root = t.testdir({ run: {}, again: {}, held: {}, mirror: {} })
  const [directory, again, held, to] = ['run', 'again', 'held', 'mirror'].map((name) => join(root, name)) as [
    string,
    string,
    string,
    string,
  ]
  await makeRun(directory)
  await mirrorRun({ directory, to })
  const wanted = contentsOf(directory)
  const results = await Promise.allSettled([1, 2].map(() => restoreFromMirror({ directory: again, from: to })))
  t.same(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.match(
    results.find(({ status }) => status === 'rejected'),
    { reason: { code: 'KUN_RUN_LOCKED', message: /works on this run directory/ } },
  )
  t.same(contentsOf(again), wanted)
  const lock = await lockRunDirectory(held)
  await t.rejects(restoreFromMirror({ directory: held, from: to }), { code: 'KUN_RUN_LOCKED' })
  await lock.release()
  t.same(readdirSync(held), [])
  await restoreFromMirror({ directory: held, from: to })
})

t.test('a restore that was cut off, and whose process still has its file open, is made again whole', async (t) => {
  const root = t.testdir({ run: {}, again: { replies: {} }, mirror: {} })
  const [directory, again, to] = ['run', 'again', 'mirror'].map((name) => join(root, name)) as [string, string, string]
  await makeRun(directory)
  await mirrorRun({ directory, to })
  const left = await nodeFiles.open(join(again, 'replies', '000001.pack.writing'), 'write')
  await left.write(Buffer.from('half'))
  await restoreFromMirror({ directory: again, from: to })
  await left.write(Buffer.from('too late'))
  await left.close()
  t.same(contentsOf(again), contentsOf(directory))
})

t.test('a file that is replaced while a pass is at work is not copied under the name of what it was', async (t) => {
  const directory = t.testdir({ mirror: {} })
  await makeRun(directory)
  const { snapshot, places } = await new Snapshots(directory).take()
  writeFileSync(join(directory, 'stats.json'), readFileSync(join(directory, 'stats.json'), 'utf8').toUpperCase())
  const store = await openMirrorStore({ at: join(directory, 'mirror') })
  t.teardown(() => store.close())
  const changed = { code: 'KUN_STORAGE', message: /stats\.json changed while it was copied/ }
  await t.rejects(store.write(snapshot, [...places.values()], []), changed)
  t.equal(await store.read(), null, 'the mirror is as it was')
})

t.test('a mirror takes every durable file and folder of the run layout, and no file of this machine', async (t) => {
  const directory = t.testdir({})
  await makeRun(directory)
  for (const name of localFiles) writeFileSync(join(directory, name), '{}')
  const { snapshot } = await new Snapshots(directory).take()
  const paths = snapshot.files.map(({ path }) => path)
  for (const name of [manifestName, ...durableFiles]) t.ok(paths.includes(name), name)
  for (const folder of [dataFolder, ...logFolders]) {
    const expected = readdirSync(join(directory, folder)).map((name) => `${folder}/${name}`)
    t.not(expected.length, 0, `${folder} has files`)
    t.same(
      paths.filter((path) => path.startsWith(`${folder}/`)),
      expected.sort(),
    )
  }
  for (const name of localFiles) t.notOk(paths.includes(name), name)
})

t.test('a mirror that names a file outside of the run directory is refused', async (t) => {
  const takes = (path: string) =>
    snapshotSchema.safeParse({ format: 'kun-stream mirror 2', cuts: 0, files: [{ path, pieces: [] }] }).success
  for (const path of ['run.json', 'data/s-000000-000.parquet', 'replies/000001.pack', 'dedup/..index'])
    t.ok(takes(path), path)
  for (const path of [
    '',
    '/etc/x',
    '..',
    '../x',
    'a/../../x',
    'a/..',
    './x',
    'a\\..\\x',
    'a\n/../../x',
    '\n/../../../x',
  ]) {
    t.notOk(takes(path), JSON.stringify(path))
  }
})

t.test('a mirror whose piece was altered is refused, and a run never waits for a mirror that fails', async (t) => {
  const root = t.testdir({ run: {}, mirror: {}, again: {} })
  const [directory, to] = [join(root, 'run'), join(root, 'mirror')]
  await makeRun(directory)
  await mirrorRun({ directory, to })
  const [folder] = readdirSync(join(to, 'pieces'))
  const [piece] = readdirSync(join(to, 'pieces', folder as string))
  const path = join(to, 'pieces', folder as string, piece as string)
  const bytes = readFileSync(path)
  bytes[0] = (bytes[0] as number) ^ 1
  writeFileSync(path, bytes)
  const altered = { code: 'KUN_CORRUPT_FILE', message: /is damaged/ } as never
  await t.rejects(restoreFromMirror({ directory: join(root, 'again'), from: to }), altered)

  const stop = new AbortController()
  const told: string[] = []
  let sleeps = 0
  const clock: Clock = {
    now: () => 0,
    sleep: async (_waitMs, signal) => {
      if (++sleeps === 3) stop.abort()
      signal?.throwIfAborted()
    },
  }
  const mirror = {
    pass: async () => {
      if (told.length === 0) throw new Error('disk away')
      return { cuts: 1, piecesSent: 0, bytesSent: 0 }
    },
    close: async () => {},
  }
  await mirrorWhile({
    mirror,
    everyMs: 1000,
    clock,
    signal: stop.signal,
    onPass: ({ cuts }) => told.push(`cut ${cuts}`),
    onFailure: (error) => told.push((error as Error).message),
  })
  t.same(told, ['disk away', 'cut 1', 'cut 1'], 'once more at the end')
})
