import { cpSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { seededRandom } from '../../lib/core/random.js'
import { alignShards, pinnedShards } from '../../lib/run/pinned-shards.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { blocks, localShards, readOptions, type SourceBlock, stdinShard } from '../../lib/sources/index.js'
import { documents, type MiniRun, runMini } from './mini-run.js'
import { cutShort, inOrder, paddedShards } from './paused-runs.js'

t.setTimeout(300_000)

const seed = Number(process.env.KUN_SEED ?? 20240612)
t.comment(`seed ${seed}`)
const next = seededRandom(seed)
const server = await startSimulator({ nonce: true })
t.teardown(() => server.close())

const formats = paddedShards(next)

/** A place outside the samples that are hashed when a file is listed, in what was read before the cut. */
function flip(file: string, at: number): void {
  const { atime, mtime } = statSync(file)
  const bytes = readFileSync(file)
  bytes[at] = (bytes[at] as number) ^ 1
  writeFileSync(file, bytes)
  utimesSync(file, atime, mtime)
}

for (const [name, bytes] of Object.entries(formats)) {
  t.test(
    `${name}: the run refuses to resume if bytes already read changed, even with the same size and times`,
    async (t) => {
      const root = t.testdir({ in: { [name]: bytes } })
      const file = join(root, 'in', name)
      utimesSync(file, 1_600_000_000, 1_600_000_000)
      const run = { directory: join(root, 'run'), endpoint: server.url, input: join(root, 'in/*'), set: inOrder }
      await cutShort(run, 1)
      const cuts = (await readManifest(run.directory)).length
      const version = async () =>
        (await localShards({ split: 's', root, files: ['in/*'], mapping: { text: 'text' } }))[0]?.version
      const before = await version()
      const places = [70_000, 90_000, 150_000]
      for (const at of places) {
        flip(file, at)
        t.equal(await version(), before, 'the samples do not show it')
        await t.rejects(runMini(run), {
          code: 'KUN_RUN_MISMATCH',
          exitCode: 2,
          message: new RegExp(`${name} .*was changed`),
        })
        flip(file, at)
      }
      t.equal((await readManifest(run.directory)).length, cuts, 'nothing was committed')
      utimesSync(file, 1_700_000_000, 1_700_000_000)
      t.equal(await runMini(run), 'input', 'put back, with another time, it resumes')
    },
  )
}

t.test('a shard that was read to its end is compared too', async (t) => {
  const root = t.testdir({ in: { 'a.jsonl': formats['a.jsonl'] as Buffer } })
  writeFileSync(join(root, 'in/b.jsonl'), documents(20).slice(10).join('\n'))
  const run = { directory: join(root, 'run'), endpoint: server.url, input: join(root, 'in/*'), set: inOrder }
  t.equal(await runMini(run), 'input')
  flip(join(root, 'in/a.jsonl'), 100_000)
  await t.rejects(runMini(run), { code: 'KUN_RUN_MISMATCH', message: /a\.jsonl .*was changed since \d+ bytes/ })
  flip(join(root, 'in/a.jsonl'), 100_000)
  t.equal(await runMini(run), 'input')
})

t.test('a file with unchanged times is not read again on resume', async (t) => {
  const root = t.testdir({ in: { 'a.jsonl': formats['a.jsonl'] as Buffer } })
  const file = join(root, 'in/a.jsonl')
  const list = () => localShards({ split: 's', root, files: ['in/*'], mapping: { text: 'text' } })
  // The time of change cannot be set: it has to pass.
  await new Promise((resolve) => setTimeout(resolve, 2_100))
  const all: SourceBlock[] = []
  for await (const each of blocks(await list(), readOptions.parse({ blockBytes: 4096 }))) all.push(each)
  const stamp = all[0]?.reads.open[0]?.read?.stamp
  t.match(stamp, /^\d+ \d+ \d+ \d+$/)
  t.equal((await list())[0]?.stamp?.(), stamp)
  utimesSync(file, 1, 1)
  t.not((await list())[0]?.stamp?.(), stamp)
})

t.test('a pinned file that was deleted is named, and so is one that grew', async (t) => {
  const root = t.testdir()
  mkdirSync(join(root, 'in'))
  const file = join(root, 'in/a.jsonl')
  const content = documents(20).join('\n')
  writeFileSync(file, content)
  writeFileSync(join(root, 'in/b.jsonl'), content)
  const run = { directory: join(root, 'run'), endpoint: server.url, input: join(root, 'in/*'), set: inOrder }
  await cutShort(run, 1)
  rmSync(file)
  await t.rejects(runMini(run), { code: 'KUN_RUN_MISMATCH', message: /a\.jsonl .*Restore it/ })
  writeFileSync(file, `${content}\n${content}`)
  await t.rejects(runMini(run), { code: 'KUN_RUN_MISMATCH', message: /a\.jsonl .*has \d+ bytes, it had \d+/ })
})

t.test('standard input that was read in part is refused, because its content may differ now', async (t) => {
  const mapping = { text: 'text' }
  const stdin = () => [
    stdinShard({ split: 's', mapping, input: Readable.from([Buffer.from(documents(20).join('\n'))]) }),
  ]
  const all: SourceBlock[] = []
  for await (const each of blocks(stdin(), readOptions.parse({ blockBytes: 4096 }))) all.push(each)
  const align = (block: number) => alignShards(pinnedShards(stdin()), stdin(), all[block]?.cursor ?? null)
  t.match(align(0).problems, [/standard input was read in part/])
  t.strictSame(align(all.length - 1).problems, [], 'a run that read all of it needs no more')
  t.strictSame(alignShards(pinnedShards(stdin()), stdin(), null).problems, [], 'nor one that committed nothing')
})

t.test(
  'a module that a filter imports changed between two calls: the run is refused and the module named',
  async (t) => {
    const root = t.testdir({
      'mine.mjs': `import { dropped } from './lists/words.mjs'\nexport default ({ text }) => (dropped(text) ? 'mine' : true)`,
      lists: { 'words.mjs': 'export const dropped = (text) => text.length > 100000' },
    })
    mkdirSync(join(root, 'in'))
    writeFileSync(join(root, 'in/a.jsonl'), documents(20).join('\n'))
    const set = [...inOrder, `prepare.filters=["${root}/mine.mjs"]`]
    const run = { directory: join(root, 'run'), endpoint: server.url, input: join(root, 'in/*'), set }
    await cutShort(run, 1)
    const words = join(root, 'lists/words.mjs')
    const before = readFileSync(words)
    writeFileSync(words, 'export const dropped = (text) => text.length > 10')
    await t.rejects(runMini(run), { code: 'KUN_RUN_MISMATCH', message: /filters\[0\]\.imports\.lists\/words\.mjs was/ })
    writeFileSync(words, before)
    t.equal(await runMini(run), 'input')
  },
)

t.test('a run is refused if an index that it is deduplicated against changed between two calls', async (t) => {
  const root = t.testdir({ in: {}, earlier: {} })
  const all = documents(30)
  writeFileSync(join(root, 'in/a.jsonl'), all.slice(0, 20).join('\n'))
  writeFileSync(join(root, 'earlier/a.jsonl'), all.slice(20, 25).join('\n'))
  writeFileSync(join(root, 'earlier/b.jsonl'), all.slice(25).join('\n'))
  const earlier = (name: string): MiniRun => ({
    directory: join(root, name),
    endpoint: server.url,
    input: join(root, `earlier/${name}.jsonl`),
  })
  for (const name of ['a', 'b']) await runMini(earlier(name))
  const set = [...inOrder, `prepare.dedup.against=["${join(root, 'a')}"]`]
  const run = { directory: join(root, 'run'), endpoint: server.url, input: join(root, 'in/*'), set }
  await cutShort(run, 1)
  cpSync(join(root, 'b/dedup'), join(root, 'a/dedup'), { recursive: true })
  await t.rejects(runMini(run), { code: 'KUN_RUN_MISMATCH', message: /against\[0\]\.index was/ })
})
