import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { CrashingFiles, type Loss } from '../support/crashing-files.js'
import { Random, testSeed } from '../support/random.js'
import { bytesOn, differing, documents, nobody, runMini } from './mini-run.js'

// Many whole runs: on a machine that is busy with others they take their time.
t.setTimeout(600_000)

const seed = testSeed()
const root = '/disk'
const directory = join(root, 'out/run')
const input = join(t.testdir(), 'documents.jsonl')
writeFileSync(input, documents(14).join('\n'))
/** Every reply is another one: what is lost of the replies cannot be had again. */
const server = await startSimulator({ nonce: true, preset: 'delay', latencyMs: { min: 0, max: 20 }, seed })
t.teardown(() => server.close())

type Skip = CrashingFiles['skip']
/** What was found damaged and put right, by path. */
let mended: string[] = []

/** One life on the disk: until `kill` strikes, or to the end. True when it was killed. */
async function life(disk: CrashingFiles, kill: { onOperation?: () => void; onCommit?: () => void }): Promise<boolean> {
  // The process that held it is this one, which plays a dead one.
  if ((await disk.sizeBytes(directory)) !== null) await disk.remove(join(directory, 'lock.json'))
  disk.onOperation = kill.onOperation ?? null
  try {
    await runMini(
      { directory, endpoint: server.url, input },
      {
        files: disk,
        onEvent: (message) => {
          if (message.includes('damaged')) mended.push(message)
        },
        onStep: (step, when) => {
          if (step === 'manifest-fsync' && when === 'after') kill.onCommit?.()
        },
      },
    )
  } catch (error) {
    if (!disk.dead) throw error
  } finally {
    disk.onOperation = null
  }
  return disk.dead
}

/** What is wrong with a run that came to its end: other bytes than those of its replies, or replies that are gone. */
async function problemOf(disk: CrashingFiles): Promise<string | null> {
  const bytes = await bytesOn(disk, directory)
  const again = join(root, 'again')
  const alone = { directory: again, endpoint: nobody, input, set: [`replies.from=["${directory}"]`] }
  await runMini(alone, { files: disk })
  const other = differing(bytes, await bytesOn(disk, again))
  return other.length === 0 ? null : `other bytes than from the replies: ${other.join(', ')}`
}

async function cutsOn(disk: CrashingFiles): Promise<number> {
  return (await readManifest(directory, disk)).length
}

t.test(`power lost at any file operation of a whole run, and again: the same bytes (seed ${seed})`, async (t) => {
  const random = new Random(seed)
  const plain = new CrashingFiles(root)
  await life(plain, {})
  const operations = plain.operations
  t.equal(await problemOf(plain), null)
  const rounds = Number(process.env.KUN_CRASHES ?? 2)
  for (let round = 0; round < rounds; round++) {
    const disk = new CrashingFiles(root)
    const losses: Loss[] = ['all', seed + round]
    const places: number[] = []
    for (const loss of losses) {
      const at = disk.operations + random.between(1, operations)
      const onOperation = () => {
        if (disk.operations >= at) disk.kill()
      }
      if (!(await life(disk, { onOperation }))) break
      places.push(at)
      const committed = await (async () => {
        disk.revive()
        return cutsOn(disk)
      })()
      disk.crash(loss)
      const kept = await cutsOn(disk)
      // The line that was being written may or may not be there; those before it are.
      t.ok(kept >= committed - 1, `${committed} cuts before the power cut, ${kept} after it`)
    }
    await life(disk, {})
    disk.crash('all')
    t.equal(await problemOf(disk), null, `killed at operations ${places.join(' and ')} of ${operations}`)
  }
})

/**
 * Power is lost right after a commit was promised, three times, everything unsynced goes; then again after the end.
 * The second life packs the replies of the first.
 */
async function crashAfterCommits(skip: Skip): Promise<string | null> {
  mended = []
  const disk = new CrashingFiles(root)
  disk.skip = skip
  try {
    for (const cuts of [1, 2]) {
      let promised = await cutsOn(disk)
      const onCommit = () => {
        if (++promised === cuts) disk.kill()
      }
      if (!(await life(disk, { onCommit }))) return 'the life was not killed'
      disk.crash('all')
      const kept = await cutsOn(disk)
      if (kept < cuts) return `cut ${cuts} was promised, ${kept} are there`
    }
    await life(disk, {})
    disk.crash('all')
    if ((await disk.sizeBytes(join(directory, 'stats.json'))) === null) return 'stats.json is gone'
    const problem = await problemOf(disk)
    return problem ?? (mended.length > 0 ? `noticed and mended: ${mended[0]}` : null)
  } catch (error) {
    return `${error}`
  }
}

const named =
  (operation: string, path: RegExp): Skip =>
  (found, at) =>
    found === operation && path.test(at)

const syncs: Readonly<Record<string, Skip>> = {
  'fsync of a part of data/': named('fsync', /\/data\//),
  'fsync of a part of rejects/': named('fsync', /\/rejects\//),
  'fsync of the directory data/': named('fsyncDirectory', /\/data$/),
  'fsync of the directory rejects/': named('fsyncDirectory', /\/rejects$/),
  'fsync of the dedup log': named('fsync', /\/dedup\/index$/),
  'fsync of the dedup texts': named('fsync', /\/dedup\/index\.texts$/),
  'fsync of the directory dedup/': named('fsyncDirectory', /\/dedup$/),
  'fsync of the replies': named('fsync', /\/replies\/\d+\.log$/),
  'fsync of packed replies': named('fsync', /\/replies\/\d+\.pack/),
  'fsync of the directory replies/': named('fsyncDirectory', /\/replies$/),
  'fsync of the manifest': named('fsync', /manifest\.jsonl$/),
  'fsync of run.json': named('fsync', /run\.json/),
  'fsync of stats.json': named('fsync', /stats\.json/),
  'fsync of the run directory': named('fsyncDirectory', /\/run$/),
  'fsync of its parent': named('fsyncDirectory', /\/out$/),
}

t.test('power lost right after each promise: the same bytes; with any one fsync taken out, not', async (t) => {
  t.equal(await crashAfterCommits(() => false), null, 'with every fsync')
  for (const [name, skip] of Object.entries(syncs)) {
    const shown = await crashAfterCommits(skip)
    t.ok(shown, `${name}: ${shown ?? 'nothing noticed that it was gone'}`)
    // The only loss that the data alone makes good: verdicts are decided again from the input.
    if (/dedup/.test(name)) t.match(shown, /^noticed and mended/)
  }
})
