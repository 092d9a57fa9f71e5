import { join } from 'node:path'
import t from 'tap'
import { StorageError } from '../../lib/errors.js'
import { type Encoder, parquetEncoder } from '../../lib/parquet/encoders/index.js'
import {
  type ManifestEntry,
  openCutWriter,
  openRunDirectory,
  readManifest,
  recoverRunDirectory,
} from '../../lib/sinks/index.js'
import { openAppendLog } from '../../lib/storage/append-log.js'
import type { CommitStep, OnStep } from '../../lib/storage/commit-steps.js'
import type { FileLayer } from '../../lib/storage/files.js'
import { CrashingFiles, type Loss } from '../support/crashing-files.js'
import { FailingFiles } from '../support/failing-files.js'
import { testSeed } from '../support/random.js'
import { commitSteps } from '../torture/plans.js'

const seed = testSeed()
const cuts = 3
const record = { pinned: { shards: ['a'], codec: 'zstd' }, free: { threads: 2 } }
/** This process plays one that was killed. */
const lock = { stateOf: () => 'gone' as const }
const encoder: Encoder = await parquetEncoder()

/** A whole run of three cuts: two splits in several files, rejects, and a log that each cut relies on. */
async function session(
  files: FileLayer,
  { onStep, committed }: { onStep?: OnStep; committed?: (entry: ManifestEntry) => void } = {},
): Promise<void> {
  const run = await openRunDirectory({ directory, record, files, lock, ...(onStep && { onStep }) })
  if (run.last !== null) committed?.(run.last)
  const fromBytes = run.last?.dedupLogBytes ?? 0
  const log = await openAppendLog({ files, path: join(directory, 'dedup.log'), header: { kind: 'test' }, fromBytes })
  try {
    const writer = await openCutWriter({
      files,
      directory,
      columns: [
        { name: 'id', type: 'string' },
        { name: 'offset', type: 'int64' },
      ],
      splits: ['skypile', 'wudao', 'empty'],
      encoder,
      from: run.last,
      rowsPerFile: 4,
      rowGroupBytesMax: 1024,
      beforeCommit: [() => log.flush()],
      ...(onStep && { onStep }),
    })
    try {
      for (let cut = writer.cut; cut < cuts; cut++) {
        for (let i = 0; i < 6; i++) {
          log.append(Buffer.from(`${cut}:${i}`))
          // The last cut has rows of one split alone, the second no rejects.
          if (cut < 2 || i > 3)
            await writer.row(cut < 2 && i < 5 ? 'skypile' : 'wudao', { id: `${cut}-${i}`, offset: i })
        }
        const where = { id: `r${cut}`, split: 'wudao', shard: 'a', offset: 1, chunk: -1, variant: -1, key: '' }
        if (cut !== 1) await writer.reject({ ...where, stage: 'filter', reason: 'short', detail: '', excerpt: '' })
        const counters = { rows: cut * 6 }
        const entry = await writer.commit({ blocks: cut + 1, cursor: { cut }, dedupLogBytes: log.bytes, counters })
        committed?.(entry)
      }
    } finally {
      await writer.abandon()
    }
  } finally {
    await log.close()
    await run.close()
  }
}

/** All but the lock, whose removal need not survive a crash. */
function contents(disk: CrashingFiles): Record<string, string> {
  const files = Object.entries(disk.contents()).filter(([path]) => !path.includes('lock.json'))
  return Object.fromEntries(files.map(([path, bytes]) => [path, bytes.toString('base64')]))
}

/** The names of files that are not as expected, or null. */
function otherBytes(disk: CrashingFiles): string | null {
  const found = contents(disk)
  const names = new Set([...Object.keys(found), ...Object.keys(expected)])
  const other = [...names].filter((name) => found[name] !== expected[name])
  return other.length === 0 ? null : `other bytes: ${other.join(', ')}`
}

const root = '/disk'
const directory = join(root, 'out', 'run')
const expected = await (async () => {
  const disk = new CrashingFiles(root)
  await session(disk)
  return contents(disk)
})()

t.test('an uninterrupted run leaves its own files only', async (t) => {
  t.same(Object.keys(expected).sort(), [
    'out/run/data/skypile-000000-000.parquet',
    'out/run/data/skypile-000000-001.parquet',
    'out/run/data/skypile-000001-000.parquet',
    'out/run/data/skypile-000001-001.parquet',
    'out/run/data/wudao-000000-000.parquet',
    'out/run/data/wudao-000001-000.parquet',
    'out/run/data/wudao-000002-000.parquet',
    'out/run/dedup.log',
    'out/run/manifest.jsonl',
    'out/run/rejects/000000-000.parquet',
    'out/run/rejects/000002-000.parquet',
    'out/run/run.json',
  ])
})

/** Kills the session at operation `at`; false when it ended before. */
async function killedAt(
  crashing: CrashingFiles,
  at: number,
  committed: (entry: ManifestEntry) => void,
): Promise<boolean> {
  const first = crashing.operations
  crashing.onOperation = (_, __, number) => void (number - first === at && crashing.kill())
  await session(crashing, { committed }).catch((error) => {
    if (!crashing.dead) throw error
  })
  crashing.onOperation = null
  return crashing.dead
}

/**
 * Kill at `at`, lose power, and once more while recovering; then run to the end.
 * Returns what went wrong: a commit that was forgotten, an error, other bytes.
 */
async function crashRun(at: number, loss: Loss, skip: CrashingFiles['skip']): Promise<string | null | 'over'> {
  const crashing = new CrashingFiles(root)
  crashing.skip = skip
  let promised = -1
  const committed = ({ cut }: ManifestEntry): void => {
    promised = Math.max(promised, cut)
  }
  try {
    if (!(await killedAt(crashing, at, committed))) return 'over'
    crashing.crash(loss)
    await killedAt(crashing, 1 + (at % 37), committed)
    crashing.crash(typeof loss === 'number' ? loss + 1 : loss)
    const kept = (await readManifest(directory, crashing)).length - 1
    if (kept < promised) return `cut ${promised} was committed, ${kept} is the last after the crash`
    await session(crashing)
    crashing.crash('all')
  } catch (error) {
    return `${error}`
  }
  return otherBytes(crashing)
}

t.test(`killed at any file operation, and again while recovering: the same bytes (seed ${seed})`, async (t) => {
  for (const loss of ['all', 'none', seed] as const) {
    // Where nothing is lost, only the place of the kill matters: every third will do.
    for (let at = 1; ; at += loss === 'none' ? 3 : 1) {
      const outcome = await crashRun(at, typeof loss === 'number' ? loss + at : loss, () => false)
      if (outcome === 'over') {
        t.ok(at > 100, `${at - 1} operations, each killed once`)
        break
      }
      if (outcome !== null) t.fail(`loss ${loss}, operation ${at}: ${outcome}`)
    }
  }
})

t.test('each fsync is needed: without any one of them some crash loses data', async (t) => {
  const syncs: Record<string, CrashingFiles['skip']> = {
    'fsync of parts': (operation, path) => operation === 'fsync' && path.includes('/data/'),
    'fsync of rejects': (operation, path) => operation === 'fsync' && path.includes('/rejects/'),
    'fsync of the directory data': (operation, path) => operation === 'fsyncDirectory' && path.endsWith('/data'),
    'fsync of the directory rejects': (operation, path) => operation === 'fsyncDirectory' && path.endsWith('/rejects'),
    'fsync of the run directory': (operation, path) => operation === 'fsyncDirectory' && path.endsWith('/run'),
    'fsync of its parents': (operation, path) => operation === 'fsyncDirectory' && /(disk|out)$/.test(path),
    'fsync of the manifest': (operation, path) => operation === 'fsync' && path.endsWith('manifest.jsonl'),
    'fsync of the log': (operation, path) => operation === 'fsync' && path.endsWith('dedup.log'),
    'fsync of run.json': (operation, path) => operation === 'fsync' && path.includes('run.json'),
  }
  for (const [name, skip] of Object.entries(syncs)) {
    let shown: string | null = null
    for (let at = 1; shown === null; at++) {
      const outcome = await crashRun(at, at % 2 === 0 ? 'all' : seed + at, skip)
      if (outcome === 'over') break
      shown = outcome
    }
    t.ok(shown, `${name}: ${shown ?? 'nothing noticed it'}`)
  }
})

t.test('recovery makes its result durable before it returns: a kill, a recovery, then a power cut', async (t) => {
  const forgotten = async (skip: CrashingFiles['skip']): Promise<number> => {
    let count = 0
    for (let at = 1; ; at++) {
      const crashing = new CrashingFiles(root)
      if (!(await killedAt(crashing, at, () => {}))) return count
      crashing.revive()
      crashing.skip = skip
      if ((await crashing.sizeBytes(directory)) === null) continue
      const said = await recoverRunDirectory(directory, { files: crashing })
      crashing.crash('all')
      if ((await readManifest(directory, crashing)).length - 1 < (said?.cut ?? -1)) count++
    }
  }
  t.equal(await forgotten(() => false), 0)
  t.ok(
    (await forgotten((operation) => operation === 'fsync')) > 0,
    'without the fsync of recovery it would be forgotten',
  )
})

t.test('killed, resumed, and power lost after the end: the same bytes', async (t) => {
  for (let at = 1; ; at++) {
    const crashing = new CrashingFiles(root)
    if (!(await killedAt(crashing, at, () => {}))) break
    crashing.revive()
    await session(crashing)
    crashing.crash('all')
    const other = otherBytes(crashing)
    if (other !== null) t.fail(`operation ${at}: ${other}`)
  }
  t.pass('at each operation')
})

t.test('killed before and after each named step of the commit: the same bytes', async (t) => {
  const seen = new Set<CommitStep>()
  for (let at = 1; ; at++) {
    const crashing = new CrashingFiles(root)
    let steps = 0
    const onStep: OnStep = (step) => {
      seen.add(step)
      if (++steps === at) crashing.kill()
    }
    await session(crashing, { onStep }).catch((error) => {
      if (!crashing.dead) throw error
    })
    if (!crashing.dead) break
    crashing.crash(seed + at)
    await session(crashing)
    const other = otherBytes(crashing)
    if (other !== null) t.fail(`${`step ${at}`}: ${other}`)
  }
  for (const step of commitSteps) t.ok(seen.has(step), step)
})

t.test('the Nth file operation fails, for every N: a clean stop that resumes to the same bytes', async (t) => {
  for (const [errno, lasting] of [
    ['ENOSPC', true],
    ['EIO', false],
    ['EMFILE', false],
  ] as const) {
    for (let at = 1; ; at++) {
      const disk = new CrashingFiles(root)
      const failing = new FailingFiles(at, errno, lasting, disk)
      const error = await session(failing).then(
        () => null,
        (error) => error,
      )
      if (failing.failed === null) {
        t.ok(at > 100, `${errno}: ${at - 1} operations, each failed once`)
        break
      }
      if (!(error instanceof StorageError) || !error.message.includes(errno)) {
        t.fail(`${errno} at ${at} (${failing.failed}): ${error}`)
      }
      await session(disk)
      const other = otherBytes(disk)
      if (other !== null) t.fail(`${`${errno} at ${at} (${failing.failed})`}: ${other}`)
    }
  }
})
