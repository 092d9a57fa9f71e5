import { truncateSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { fileSlice } from '../../lib/http/request-body.js'
import { hashOf } from '../../lib/objects/s3/write-outcome.js'
import { race } from '../objects/contract.js'
import { raceProcesses } from '../objects/racing-processes.js'
import { s3Bench } from '../objects/s3-support.js'

/** The full number is run by hand: each round is 17 requests. */
const rounds = Number(process.env.KUN_STREAM_RACE_ROUNDS ?? 100)

t.test('of 16 writers of one key one wins, and every reader sees a whole object', async (t) => {
  const { open, server } = await s3Bench(t)
  server.faults.set([
    { kind: 'lost', match: '^PUT', rate: 0.02, seed: 1, times: -1 },
    { kind: 'reset', match: '^PUT', rate: 0.02, seed: 2, times: -1 },
    { kind: 'status', status: 409, code: 'ConditionalRequestConflict', match: '^PUT', rate: 0.02, seed: 3, times: -1 },
  ])
  const stores = Array.from({ length: 16 }, () => open({ transport: { backoffMs: 0 } }))
  await race(t, stores, rounds)
  t.ok(server.log.some(({ fault }) => fault === 'lost'))
})

t.test('of 16 writers in 4 processes one wins', async (t) => {
  const { open, server } = await s3Bench(t)
  const env = { HOME: '/nonexistent', ...server.environment }
  await raceProcesses(t, { where: 's3://kun/run', store: open(), rounds: 15, env })
})

t.test('a large file goes through in parts, in memory that does not grow with it', async (t) => {
  const { open } = await s3Bench(t)
  const directory = t.testdir()
  const bytes = 160 * 1024 * 1024
  writeFileSync(join(directory, 'big'), 'begin')
  truncateSync(join(directory, 'big'), bytes)
  let held = 0
  const before = process.memoryUsage().arrayBuffers
  const sampling = setInterval(() => {
    held = Math.max(held, process.memoryUsage().arrayBuffers - before)
  }, 5)
  const store = open()
  await store.putFile('big', join(directory, 'big'))
  t.equal(await store.getFile('big', join(directory, 'copy')), true)
  clearInterval(sampling)
  t.equal((await stat(join(directory, 'copy'))).size, bytes)
  const hashes = await Promise.all(['big', 'copy'].map((name) => hashOf(fileSlice(join(directory, name), 0, bytes))))
  t.equal(hashes[0], hashes[1])
  t.ok(held < bytes / 2, 'most of it is never in memory at the same time')
})
