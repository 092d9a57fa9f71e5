/** What bench hub measures in a process of its own: a publish, or one shard read by us and by bare undici in turn. */
import { writeSync } from 'node:fs'
import { request } from 'undici'
import { publish } from '../lib/publish/publish.js'
import { hubShards } from '../lib/sources/hub.js'

export type HubTask =
  | { readonly task: 'publish'; readonly directory: string; readonly hubUrl: string }
  | { readonly task: 'read'; readonly hubUrl: string; readonly rounds: number }

export interface HubFigures {
  readonly peakMegabytes: number
  readonly bytes: number
  readonly seconds: number
  /** Megabytes a second of each round. */
  readonly ours: readonly number[]
  /** From the second byte on: no sha256 is made then. */
  readonly unchecked: readonly number[]
  readonly bare: readonly number[]
}

const task = JSON.parse(process.argv[2] as string) as HubTask
const started = performance.now()
const [ours, unchecked, bare]: [number[], number[], number[]] = [[], [], []]
let bytes = 0
if (task.task === 'publish') {
  const { directory, hubUrl } = task
  bytes = (await publish({ directory, repo: 'me/bench', hubUrl, token: 'hf_bench' })).bytesUploaded
} else {
  for (let round = 0; round < task.rounds; round++) {
    ours.push(await rateOf(() => readByUs(task.hubUrl, 0)))
    unchecked.push(await rateOf(() => readByUs(task.hubUrl, 1)))
    bare.push(await rateOf(() => readBare(task.hubUrl)))
  }
}
const seconds = (performance.now() - started) / 1000
const figures: HubFigures = {
  peakMegabytes: process.resourceUsage().maxRSS / 1024,
  bytes,
  seconds,
  ours,
  unchecked,
  bare,
}
writeSync(1, JSON.stringify(figures))

async function rateOf(read: () => Promise<number>): Promise<number> {
  const start = performance.now()
  const length = await read()
  bytes += length
  return length / 1000 / (performance.now() - start)
}

async function readByUs(hubUrl: string, offset: number): Promise<number> {
  const mapping = { text: 'text' }
  const listed = await hubShards({ repo: 'me/shard', files: 'a.bin', split: 's', mapping, hubUrl, token: 'hf_bench' })
  let length = 0
  for (const shard of listed.shards) {
    for await (const piece of shard.open(offset, new AbortController().signal)) length += piece.length
  }
  await listed.close()
  return length
}

async function readBare(hubUrl: string): Promise<number> {
  const answer = await request(`${hubUrl}/datasets/me/shard/resolve/main/a.bin`)
  await answer.body.dump()
  const { body } = await request(String(answer.headers['location']))
  let length = 0
  for await (const piece of body as AsyncIterable<Buffer>) length += piece.length
  return length
}
