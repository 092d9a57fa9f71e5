/** Publishing: peak memory of its process. Streaming a shard: how fast, against a bare undici download in turn with it. */

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parquetEncoder } from '../lib/parquet/encoders/index.js'
import { startHub } from '../lib/simulator/hub/index.js'
import { openCutWriter } from '../lib/sinks/index.js'
import { nodeFiles } from '../lib/storage/files.js'
import type { HubFigures, HubTask, WayToRead } from './hub-child.js'
import { median } from './median.js'
import type { BenchOptions, BenchResult } from './types.js'

export const bench = {
  name: 'hub',
  description: 'publishing a run, peak memory; streaming a shard against a bare download',
  run,
}

const MB = 1e6
const wayNames: Readonly<Record<WayToRead, string>> = {
  checked: 'source on the Hub (sha256 checked)',
  unchecked: 'the same without sha256',
  bare: 'bare undici',
  hash: 'sha256 alone, of memory, one thread',
}
const waysToRead = Object.keys(wayNames) as WayToRead[]
const sizes = {
  full: { publishBytes: 2000 * MB, cutBytes: 50 * MB, shardBytes: 400 * MB, rounds: 7 },
  smoke: { publishBytes: 2 * MB, cutBytes: 1 * MB, shardBytes: 2 * MB, rounds: 2 },
}
const childFile = fileURLToPath(new URL('./hub-child.js', import.meta.url))

async function run({ size, say }: BenchOptions): Promise<BenchResult> {
  const { publishBytes, cutBytes, shardBytes, rounds } = sizes[size]
  const folder = await mkdtemp(join(tmpdir(), 'kun-stream-bench-'))
  const hub = await startHub({ directory: join(folder, 'hub') })
  try {
    const directory = join(folder, 'run')
    const written = await writeRun(directory, publishBytes, cutBytes)
    say(`${Math.round(written / MB)} MB of Parquet are written`)
    const published = await child({ task: 'publish', directory, hubUrl: hub.url })
    say(`published, ${published.peakMegabytes.toFixed(0)} MB at most`)
    hub.seed('me/shard', { 'a.bin': randomBytes(shardBytes) })
    const before = process.cpuUsage()
    const read = await child({ task: 'read', hubUrl: hub.url, rounds })
    const served = process.cpuUsage(before)
    const serverSeconds = (served.user + served.system) / 1e6
    // Three ways of four read; the first round is not among the figures.
    const servedBytes = 3 * (rounds + 1) * shardBytes
    const rate = (way: WayToRead) => median(read.reads[way].map(({ megabytesPerSecond }) => megabytesPerSecond))
    const share = rate('checked') / rate('bare')
    const peak = published.peakMegabytes
    return {
      tables: [
        {
          title: 'Publishing, in a process of its own, to the stand-in Hub',
          rows: [
            {
              'MB of Parquet': written / MB,
              'MB sent': published.bytes / MB,
              seconds: published.seconds,
              'peak MB': peak,
            },
          ],
        },
        {
          title: `A shard of ${shardBytes / MB} MB streamed from the stand-in Hub, medians of ${rounds}, in turn`,
          rows: waysToRead.map((way) => ({
            way: wayNames[way],
            'MB/s': rate(way),
            'against bare': rate(way) / rate('bare'),
            'processor s/GB': median(read.reads[way].map((figures) => figures.processorSecondsPerGigabyte)),
            'of it main thread': median(read.reads[way].map((figures) => figures.mainThreadSecondsPerGigabyte ?? NaN)),
          })),
        },
        {
          title: 'The server of that, in this process',
          rows: [{ 'processor s/GB': serverSeconds / (servedBytes / 1e9) }],
        },
      ],
      aims: [
        { what: 'peak memory of publishing, MB', figure: peak, aim: 'under 300', met: peak < 300 },
        { what: 'streaming against a bare download', figure: share, aim: 'at least .8', met: share >= 0.8 },
      ],
    }
  } finally {
    await hub.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Cuts of rows whose text does not compress well: about as many bytes of files as are asked for. */
async function writeRun(directory: string, bytes: number, cutBytes: number): Promise<number> {
  const writer = await openCutWriter({
    files: nodeFiles,
    directory,
    splits: ['bench'],
    columns: [
      { name: 'instruction', type: 'string' },
      { name: 'output', type: 'string' },
    ],
    encoder: await parquetEncoder(),
    from: null,
    rowGroupBytesMax: 16 * 1024 * 1024,
  })
  let written = 0
  for (let cut = 0; written < bytes; cut++) {
    for (let made = 0; made < cutBytes; made += outputBytes) {
      await writer.row('bench', { instruction: `${cut}`, output: randomBytes(outputBytes).toString('base64') })
    }
    written += cutBytes
    await writer.commit({ blocks: cut + 1, cursor: null, dedupLogBytes: 0, counters: {} })
  }
  return written
}

const outputBytes = 6000

async function child(task: HubTask): Promise<HubFigures> {
  const { stdout } = await promisify(execFile)(process.execPath, [childFile, JSON.stringify(task)])
  return JSON.parse(stdout) as HubFigures
}
