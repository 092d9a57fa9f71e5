/** What bench hub measures in a process of its own: a publish, or one shard read by us and by bare undici in turn. */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeSync } from 'node:fs'
import { request } from 'undici'
import { publish } from '../lib/publish/publish.js'
import { hubShards } from '../lib/sources/hub-shards.js'
import type { Shard } from '../lib/sources/index.js'

export type HubTask =
  | { readonly task: 'publish'; readonly directory: string; readonly hubUrl: string }
  | { readonly task: 'read'; readonly hubUrl: string; readonly rounds: number }

/** 'unchecked' begins at the second byte: no sha256 is made then. 'hash' reads nothing: what one thread can do at best. */
const waysToRead = ['checked', 'unchecked', 'bare', 'hash'] as const

export type WayToRead = (typeof waysToRead)[number]

export interface ReadFigures {
  readonly megabytesPerSecond: number
  /** Of this process: all its threads, user and system. */
  readonly processorSecondsPerGigabyte: number
  /** Of the main thread alone; null where the system does not tell. */
  readonly mainThreadSecondsPerGigabyte: number | null
}

export interface HubFigures {
  readonly peakMegabytes: number
  readonly bytes: number
  readonly seconds: number
  /** One a round. */
  readonly reads: Readonly<Record<WayToRead, readonly ReadFigures[]>>
}

const task = JSON.parse(process.argv[2] as string) as HubTask
const started = performance.now()
const reads: Record<WayToRead, ReadFigures[]> = { checked: [], unchecked: [], bare: [], hash: [] }
let bytes = 0
if (task.task === 'publish') {
  const { directory, hubUrl } = task
  bytes = (await publish({ directory, repo: 'me/bench', hubUrl, token: 'hf_bench' })).bytesUploaded
} else {
  await readInTurn(task.hubUrl, task.rounds)
}
const seconds = (performance.now() - started) / 1000
const figures: HubFigures = { peakMegabytes: process.resourceUsage().maxRSS / 1024, bytes, seconds, reads }
writeSync(1, JSON.stringify(figures))

/** Listing is done before: all ways resolve the file's address and read it. The first round warms up; who begins changes. */
async function readInTurn(hubUrl: string, rounds: number): Promise<void> {
  const mapping = { text: 'text' }
  const listed = await hubShards({ repo: 'me/shard', files: 'a.bin', split: 's', mapping, hubUrl, token: 'hf_bench' })
  const shard = listed.shards[0] as Shard
  const ways: Record<WayToRead, () => Promise<number>> = {
    checked: () => lengthOf(shard.open(0, new AbortController().signal)),
    unchecked: () => lengthOf(shard.open(1, new AbortController().signal)),
    bare: () => readBare(hubUrl),
    hash: async () => hashInMemory(shard.sizeBytes as number),
  }
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < waysToRead.length; turn++) {
      const way = waysToRead[(round + turn) % waysToRead.length] as WayToRead
      const figures = await measured(ways[way])
      if (round > 0) reads[way].push(figures)
    }
  }
  await listed.close()
}

async function measured(read: () => Promise<number>): Promise<ReadFigures> {
  const [start, before, threadBefore] = [performance.now(), process.cpuUsage(), mainThreadSeconds()]
  const length = await read()
  const threadAfter = mainThreadSeconds()
  const milliseconds = performance.now() - start
  const { user, system } = process.cpuUsage(before)
  bytes += length
  return {
    megabytesPerSecond: length / 1000 / milliseconds,
    processorSecondsPerGigabyte: ((user + system) / length) * 1000,
    mainThreadSecondsPerGigabyte:
      threadBefore === null || threadAfter === null ? null : ((threadAfter - threadBefore) / length) * 1e9,
  }
}

function hashInMemory(bytes: number): number {
  const hash = createHash('sha256')
  const piece = randomBytes(64 * 1024)
  for (let at = 0; at < bytes; at += piece.length) hash.update(piece)
  hash.digest()
  return bytes
}

/** Linux keeps the nanoseconds of each thread; the main one has the number of the process. */
function mainThreadSeconds(): number | null {
  if (process.platform !== 'linux') return null
  const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')
  return Number(nanoseconds) / 1e9
}

async function lengthOf(pieces: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0
  for await (const piece of pieces) length += piece.length
  return length
}

async function readBare(hubUrl: string): Promise<number> {
  const answer = await request(`${hubUrl}/datasets/me/shard/resolve/main/a.bin`)
  await answer.body.dump()
  const { body } = await request(String(answer.headers.location))
  return lengthOf(body as AsyncIterable<Buffer>)
}
