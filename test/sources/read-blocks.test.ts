import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteBuffer } from 'hyparquet-writer'
import t from 'tap'
import { sharedBuffers } from '../../lib/core/shared-buffers.js'
import { AbortedError, ShardChangedError, StorageError } from '../../lib/errors.js'
import {
  localShards,
  readBlocks,
  removedShard,
  type Shard,
  type ShardRead,
  type SourceBlock,
  type SourceCursor,
} from '../../lib/sources/index.js'
import { documents, memoryShard, smallBlocks, summary } from './support.js'

const mapping = { text: 'text' }

interface Reading {
  readonly thread: boolean
  readonly from?: SourceCursor
  readonly before?: readonly ShardRead[]
  readonly blockBytes?: number
}

async function read(shards: readonly Shard[], { thread, from, before, ...options }: Reading): Promise<SourceBlock[]> {
  const all: SourceBlock[] = []
  for await (const each of readBlocks(shards, { ...smallBlocks, ...options, thread }, from, before)) {
    all.push({ ...each, block: { ...each.block, bytes: new Uint8Array(each.block.bytes) } })
    if (each.block.bytes.buffer instanceof SharedArrayBuffer) sharedBuffers.give(each.block.bytes.buffer)
  }
  return all
}

/** A shard of each format, a file that is not one, an empty one, and one that was removed from the run. */
async function corpus(folder: string): Promise<Shard[]> {
  const lines = (seed: number) => `${documents(150, seed).join('\n')}\n`
  writeFileSync(join(folder, 'a.jsonl'), lines(1))
  writeFileSync(join(folder, 'b.jsonl.gz'), gzipSync(lines(2)))
  writeFileSync(join(folder, 'c.json'), `[${documents(80, 3).join(',\n')}]`)
  const text = documents(90, 4)
  writeFileSync(
    join(folder, 'd.parquet'),
    new Uint8Array(parquetWriteBuffer({ columnData: [{ name: 'text', data: text }], rowGroupSize: 30 })),
  )
  writeFileSync(join(folder, 'e.jsonl.gz'), gzipSync(lines(5)).subarray(0, 900))
  writeFileSync(join(folder, 'f.jsonl'), '')
  writeFileSync(join(folder, 'g.jsonl'), `${'x'.repeat(5000)}\n${lines(6)}`)
  const listed = await localShards({ split: 'test', root: folder, files: ['*'], mapping })
  return [...listed, removedShard({ split: 'test', path: 'gone.jsonl' })]
}

/** What was read of shards that have ended: of an open one, bytes that were read ahead count. */
function ended(all: readonly SourceBlock[]): unknown[] {
  return all.flatMap(({ reads }) => reads.ended).map((each) => ({ ...each, read: { ...each.read, stamp: null } }))
}

/** Files in the folder that this process has open. */
function openFiles(folder: string): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`)
      return file.startsWith(folder) ? [file] : []
    } catch {
      return [] // the directory that was read
    }
  })
}

function readingThreads(): number {
  if (process.platform !== 'linux') return 0
  return readdirSync('/proc/self/task').filter((thread) => {
    try {
      return readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim() === 'read'
    } catch {
      return false // ended meanwhile
    }
  }).length
}

t.test('a thread yields the blocks, cursors and reads that the calling one does, of every format', async (t) => {
  const folder = t.testdir({})
  const shards = await corpus(folder)
  const [here, there] = [await read(shards, { thread: false }), await read(shards, { thread: true })]
  t.ok(here.length > 150, `${here.length} blocks`)
  t.strictSame(summary(there), summary(here))
  t.strictSame(
    there.map(({ storedBytes }) => storedBytes),
    here.map(({ storedBytes }) => storedBytes),
  )
  t.strictSame(ended(there), ended(here))
  t.ok(ended(here).length >= 6, `${ended(here).length} shards ended before the last block`)
  t.equal(there[0]?.block.mapping, shards[0]?.mapping)
})

t.test('memory is used again, by more blocks than the thread may be ahead', async (t) => {
  const folder = t.testdir({})
  const lines = Array.from({ length: 20_000 }, (_, index) => `${JSON.stringify({ index, text: '长'.repeat(1000) })}\n`)
  const content = lines.join('')
  writeFileSync(join(folder, 'a.jsonl'), content)
  const shards = await localShards({ split: 'test', root: folder, files: ['*'], mapping })
  const options = { ...smallBlocks, blockBytes: 2 ** 20, recordBytesMax: 2 ** 20, thread: true }
  const hash = createHash('sha256')
  let blocks = 0
  for await (const { block } of readBlocks(shards, options)) {
    const { buffer } = block.bytes
    if (!(buffer instanceof SharedArrayBuffer)) throw new Error('a block in memory of its own')
    hash.update(block.bytes)
    // Whoever reads it after this is at fault.
    block.bytes.fill(0)
    sharedBuffers.give(buffer)
    blocks++
  }
  t.ok(blocks > 50, `${blocks} blocks`)
  t.equal(hash.digest('hex'), createHash('sha256').update(content).digest('hex'))
})

t.test('a thread resumes at every cursor and continues the hash', async (t) => {
  const folder = t.testdir({})
  const shards = await corpus(folder)
  const whole = await read(shards, { thread: false, blockBytes: 10_000 })
  for (const [index, { cursor, reads }] of whole.entries()) {
    const from = JSON.parse(JSON.stringify(cursor)) as SourceCursor
    const before = JSON.parse(JSON.stringify(reads.open)) as ShardRead[]
    const rest = await read(shards, { thread: true, from, before, blockBytes: 10_000 })
    t.strictSame(summary(rest), summary(whole.slice(index + 1)), `after block ${index}`)
    t.strictSame(ended(rest), ended(whole.slice(index + 1)), `reads after block ${index}`)
  }
})

t.test('errors of the thread have their class, code, details and words', async (t) => {
  for (const [what, damage, Class] of [
    ['a file that became shorter', (file: string) => truncateSync(file, 20_000), ShardChangedError],
    ['a file that is gone', (file: string) => rmSync(file), StorageError],
  ] as const) {
    const folder = t.testdir({})
    const file = join(folder, 'a.jsonl')
    writeFileSync(file, `${documents(2000, 1).join('\n')}\n`)
    const shards = await localShards({ split: 'test', root: folder, files: ['*'], mapping })
    damage(file)
    const here = await read(shards, { thread: false }).catch((error: unknown) => error)
    const there = await read(shards, { thread: true }).catch((error: unknown) => error)
    t.ok(there instanceof Class, what)
    const { message, code, details } = here as ShardChangedError
    t.match(there, { message, code, details: { ...details } }, what)
  }
})

t.test('a cursor of other shards is refused', async (t) => {
  const folder = t.testdir({})
  const shards = await corpus(folder)
  const [first] = await read(shards, { thread: false })
  const from = first?.cursor as SourceCursor
  await t.rejects(read(shards.slice(3), { thread: true, from }), ShardChangedError)
})

t.test('an aborted signal stops the thread and closes its files', async (t) => {
  const folder = t.testdir({})
  const shards = await corpus(folder)
  const controller = new AbortController()
  const reason = new Error('enough')
  let blocks = 0
  const reading = (async () => {
    for await (const _ of readBlocks(shards, { ...smallBlocks, thread: true, signal: controller.signal })) {
      if (++blocks === 5) controller.abort(reason)
    }
  })()
  const error = await reading.catch((thrown: unknown) => thrown)
  t.ok(error instanceof AbortedError)
  t.equal((error as AbortedError).cause, reason)
  t.equal(blocks, 5)
  t.strictSame(openFiles(folder), [])
  t.equal(readingThreads(), 0)
  const before = readBlocks(shards, { ...smallBlocks, thread: true, signal: AbortSignal.abort() })
  await t.rejects(before.next(), AbortedError)
  t.equal(readingThreads(), 0)
})

t.test('a consumer that stops early ends the thread', async (t) => {
  const folder = t.testdir({})
  const shards = await corpus(folder)
  for await (const { block } of readBlocks(shards, { ...smallBlocks, thread: true })) if (block.number === 3) break
  t.strictSame(openFiles(folder), [])
  t.equal(readingThreads(), 0)
})

t.test('shards that are not all files on disk are read by the calling thread', async (t) => {
  const folder = t.testdir({ 'a.jsonl': `${documents(50, 1).join('\n')}\n` })
  const local = await localShards({ split: 'test', root: folder, files: ['*'], mapping })
  const shards = [...local, memoryShard('b.jsonl', `${documents(50, 2).join('\n')}\n`)]
  const all = []
  for await (const each of readBlocks(shards, { ...smallBlocks, thread: true })) {
    t.equal(readingThreads(), 0)
    all.push(each)
  }
  t.strictSame(summary(all), summary(await read(shards, { thread: false })))
})
