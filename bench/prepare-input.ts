/**
 * JSON Lines for the benches of the path before the models: made-up articles, or, with KUN_CORPUS set to a folder laid
 * out as skypile, its real prose again and again, each copy edited so far that it is no duplicate.
 */
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { generate } from '../fixtures/generate.js'
import { localShards, presets, type Shard } from '../lib/sources/index.js'
import { randomFrom } from './dedup-texts.js'

export interface PreparedInput {
  readonly kind: 'generated' | 'corpus'
  readonly bytes: number
}

/** Read side by side, so that blocks of several files interleave. */
const shardCount = 4
const seed = 20261123

/** Writes about `bytes` into `folder`. */
export async function writeInput(folder: string, bytes: number, shards = shardCount): Promise<PreparedInput> {
  const corpus = process.env.KUN_CORPUS
  if (corpus === undefined) await generate({ out: folder, layouts: ['skypile'], shards, bytes, seed })
  else await repeatCorpus(join(corpus, 'skypile', 'data'), join(folder, 'skypile', 'data'), bytes, shards)
  const written = await inputShards(folder)
  const sum = written.reduce((all, { sizeBytes }) => all + (sizeBytes ?? 0), 0)
  return { kind: corpus === undefined ? 'generated' : 'corpus', bytes: sum }
}

export function inputShards(folder: string): Promise<Shard[]> {
  return localShards({ split: 'skypile', root: folder, files: ['skypile/**/*.jsonl'], mapping: presets.skypile })
}

async function repeatCorpus(from: string, to: string, bytes: number, shards: number): Promise<void> {
  const names = (await readdir(from)).filter((name) => name.endsWith('.jsonl')).sort()
  const files = await Promise.all(names.map((name) => readFile(join(from, name), 'utf8')))
  const texts = files.flatMap((file) => file.split('\n').filter((line) => line !== '')).map(textOf)
  await mkdir(to, { recursive: true })
  for (let shard = 0; shard < shards; shard++) {
    const lines = limited(copies(texts, seed + shard), bytes / shards)
    await pipeline(Readable.from(lines), createWriteStream(join(to, `copies_${shard}.jsonl`)))
  }
}

function textOf(line: string): string {
  return String((JSON.parse(line) as { readonly text?: unknown }).text ?? '')
}

/** One Han character in eight gives way to another of its text: two copies then share about .16 of their 5-grams. */
function* copies(texts: readonly string[], from: number): Generator<string, never> {
  const random = randomFrom(from)
  for (;;) {
    for (const text of texts) {
      const edited = text.replace(/\p{Script=Han}/gu, (letter) =>
        random(8) === 0 ? hanOr(text.charAt(random(text.length)), letter) : letter,
      )
      yield `${JSON.stringify({ text: edited })}\n`
    }
  }
}

function hanOr(found: string, otherwise: string): string {
  return found >= '\u4e00' && found <= '\u9fff' ? found : otherwise
}

const writeBytes = 256 * 1024

function* limited(lines: Iterable<string>, bytesMax: number): Generator<Buffer> {
  let batch = ''
  let bytes = 0
  for (const line of lines) {
    batch += line
    if (batch.length * 3 < writeBytes) continue
    const chunk = Buffer.from(batch)
    yield chunk
    batch = ''
    bytes += chunk.length
    if (bytes >= bytesMax) return
  }
}
