import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteFile } from 'hyparquet-writer'
import t, { type Test } from 'tap'
import { pack } from 'tar-stream'
import { hubSettings } from '../../lib/hub/settings.js'
import { hubTransport } from '../../lib/hub/transport.js'
import { startHub } from '../../lib/simulator/hub/index.js'
import { hubShards } from '../../lib/sources/hub-shards.js'
import { blocks, localShards, readOptions, type Shard, type SourceCursor } from '../../lib/sources/index.js'

const options = readOptions.parse({ blockBytes: 4096 })
const mapping = { text: 'text' }

function documents(seed: string, count: number): { text: string }[] {
  return Array.from({ length: count }, (_, number) => {
    const digest = createHash('sha512').update(`${seed}:${number}`).digest('hex')
    return { text: `第${number}篇。${digest.repeat(1 + (number % 5))}` }
  })
}

async function tarOf(files: Record<string, string>): Promise<Buffer> {
  const archive = pack()
  for (const [name, content] of Object.entries(files)) archive.entry({ name }, content)
  archive.finalize()
  const parts: Buffer[] = []
  for await (const part of archive) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

/** A shard in each layout, some tens of kilobytes each. */
async function makeCorpus(folder: string): Promise<Record<string, Buffer>> {
  const lines = (seed: string, count: number) =>
    documents(seed, count)
      .map((doc) => JSON.stringify(doc))
      .join('\n')
  const contents: Record<string, Buffer> = {
    'a/plain.jsonl': Buffer.from(lines('plain', 150)),
    'a/packed.jsonl.gz': gzipSync(lines('packed', 150)),
    'b/archive.jsonl.tar.gz': gzipSync(await tarOf({ 'one.jsonl': lines('one', 60), 'two.jsonl': lines('two', 60) })),
    'b/array.json': Buffer.from(JSON.stringify(documents('array', 150))),
  }
  const path = join(folder, 'c/rows.parquet')
  mkdirSync(dirname(path), { recursive: true })
  const data = documents('rows', 150).map(({ text }) => text)
  parquetWriteFile({ filename: path, columnData: [{ name: 'text', data, type: 'STRING' }], rowGroupSize: 40 })
  contents['c/rows.parquet'] = readFileSync(path)
  for (const [name, bytes] of Object.entries(contents)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), bytes)
  }
  return contents
}

interface SeenBlock {
  readonly seen: string
  readonly cursor: SourceCursor
}

async function seenOf(shards: readonly Shard[], from?: SourceCursor): Promise<SeenBlock[]> {
  const all: SeenBlock[] = []
  for await (const { block, cursor } of blocks(shards, options, from)) {
    const { bytes, bounds, mapping: _, ...rest } = block
    const hash = createHash('sha256').update(bytes).digest('hex')
    all.push({ seen: JSON.stringify({ ...rest, hash, bounds: bounds && [...bounds] }), cursor })
  }
  return all
}

async function started(t: Test) {
  const root = t.testdir({ corpus: {} })
  const hub = await startHub({ directory: join(root, 'hub') })
  const contents = await makeCorpus(join(root, 'corpus'))
  hub.seed('me/corpus', contents)
  const settings = hubSettings({ hubUrl: hub.url, token: 'hf_test', environment: {} })
  const transport = hubTransport(settings, { backoffMs: 0, triesMax: 3 })
  t.teardown(async () => {
    await hub.close()
    await transport.close()
  })
  const listed = (files: string) =>
    hubShards({ repo: 'me/corpus', files, split: 's', mapping, hubUrl: hub.url, token: 'hf_test', transport })
  const local = await localShards({ split: 's', root: join(root, 'corpus'), files: ['**/*.*'], mapping })
  return { hub, contents, listed, local }
}

t.test(
  'broken connections in every shard and layout: the same blocks as from disk, each byte asked for once',
  async (t) => {
    const seed = 77
    t.comment(`seed ${seed}`)
    const { hub, contents, listed, local } = await started(t)
    const wanted = await seenOf(local)
    hub.faults.set([{ kind: 'cut', match: 'GET (/cdn|/datasets)', rate: 0.6, times: -1, seed }])
    const { shards } = await listed('**/*.*')
    t.same(
      shards.map(({ path }) => path),
      Object.keys(contents).sort(),
    )
    t.same(
      shards.map(({ path }) => path),
      local.map(({ path }) => path),
    )
    t.same(
      (await seenOf(shards)).map(({ seen }) => seen),
      wanted.map(({ seen }) => seen),
    )
    t.ok(wanted.length > 30, `${wanted.length} blocks`)
    const reads = hub.log.filter(({ method, path }) => method === 'GET' && /content|resolve/.test(path))
    t.ok(reads.filter(({ fault }) => fault === 'cut').length > 5)
  },
)

t.test('reading goes on in mid-shard from any block', async (t) => {
  const { hub, listed } = await started(t)
  const { shards } = await listed('**/*.*')
  const all = await seenOf(shards)
  const plain = hub.log.length
  for (let at = 0; at < all.length; at += 17) {
    const rest = await seenOf(shards, (all[at] as SeenBlock).cursor)
    t.same(
      rest.map(({ seen }) => seen),
      all.slice(at + 1).map(({ seen }) => seen),
      `after block ${at}`,
    )
  }
  const ranged = hub.log.slice(plain).filter(({ range }) => range !== null && !range.startsWith('bytes=0-'))
  t.ok(ranged.length > 0, 'by Range')
})

t.test('a Hub that goes away in mid-shard stops the run: its documents are not counted as damaged', async (t) => {
  const { hub, contents, listed } = await started(t)
  for (const path of Object.keys(contents)) {
    const { shards } = await listed(path)
    hub.faults.set([
      { kind: 'cut', match: 'GET /(cdn|datasets)', afterBytes: 2000 },
      { kind: 'reset', match: 'GET /(cdn|datasets)', times: -1 },
    ])
    await t.rejects(seenOf(shards), { code: 'KUN_HUB_UNAVAILABLE', exitCode: 3 } as never, path)
    hub.faults.set([])
  }
})

t.test('a file that the Hub lists and has not is one reject; a refusal of the dataset stops the run', async (t) => {
  const { hub, contents, listed } = await started(t)
  const refusedOf = async (shards: readonly Shard[]) => {
    const found: string[] = []
    for await (const { block } of blocks(shards, options)) found.push(...block.rejected.map(({ reason }) => reason))
    return found
  }
  const resolve = 'GET /datasets/.*/resolve/'
  let broken = 0
  for (const path of Object.keys(contents)) {
    let onFileServer = false
    for (const [match, errorCode] of [
      [resolve, 'EntryNotFound'],
      ['GET /cdn', undefined],
    ] as const) {
      const { shards } = await listed(path)
      const before = hub.log.length
      hub.faults.set([{ kind: 'status', match, status: 404, times: -1, ...(errorCode && { errorCode }) }])
      const reasons = await refusedOf(shards)
      // Small files come from the Hub itself: their request meets no file server.
      const met = hub.log.slice(before).some(({ fault }) => fault === 'status')
      onFileServer = match === 'GET /cdn' && met
      t.strictSame(reasons, met ? ['shard-missing'] : [], `${path}, ${match}`)
    }
    const { shards } = await listed(path)
    for (const [status, errorCode] of [
      [404, 'RepoNotFound'],
      [404, 'RevisionNotFound'],
      [403, 'GatedRepo'],
      [401, undefined],
    ] as const) {
      hub.faults.set([{ kind: 'status', match: resolve, status, times: -1, ...(errorCode && { errorCode }) }])
      await t.rejects(refusedOf(shards), { code: 'KUN_HUB_ACCESS' } as never, `${path}, ${status} ${errorCode}`)
    }
    hub.faults.set([
      { kind: 'cut', match: 'GET /cdn', afterBytes: 2000 },
      { kind: 'status', match: 'GET /(cdn|datasets)', status: 404, errorCode: 'EntryNotFound', from: 3, times: -1 },
    ])
    const again = await listed(path)
    if (onFileServer && !path.endsWith('.parquet')) {
      broken++
      await t.rejects(refusedOf(again.shards), { code: 'KUN_HUB_ACCESS' } as never, `${path} was there before`)
    }
    hub.faults.set([])
  }
  t.ok(broken > 0)
})
