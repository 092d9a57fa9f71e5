/** One process, real HTTP: requests in flight, requests/s, cores and memory, with replies kept and order restored. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openServers } from '../lib/llm/scheduler/model-servers.js'
import { nodeFiles } from '../lib/storage/files.js'
import { openReplies } from '../lib/storage/replies/replies.js'

export interface HttpOptions {
  readonly inFlight: number
  readonly delayMs: number
  readonly requests: number
  /** Calls asked at once: those that wait are in the queue. */
  readonly asked: number
  readonly keepReplies: boolean
}

export interface HttpOutcome {
  readonly inFlightMost: number
  /** Between the first and the last tenth of the replies: the start and the end are no steady state. */
  readonly requestsPerSecond: number
  /** CPU time of this process over wall time, in the same span. */
  readonly cores: number
  /** Processor time of a request here and in the server's process, ms: what is left when others take the machine. */
  readonly cpuMsEach: number
  readonly serverCpuMsEach: number
  readonly residentMostMb: number
  readonly replyBytesMb: number
  readonly indexBytesEach: number
}

export async function overHttp(options: HttpOptions): Promise<HttpOutcome> {
  const { inFlight, delayMs, requests, asked, keepReplies } = options
  const folder = await mkdtemp(join(tmpdir(), 'kun-stream-bench-'))
  const server = spawn(process.execPath, [fileURLToPath(new URL('llm-http-server.js', import.meta.url)), `${delayMs}`])
  try {
    const port = await new Promise<string>((resolve) =>
      server.stdout.once('data', (line) => resolve(String(line).trim())),
    )
    const replies = await openReplies({ files: nodeFiles, directory: join(folder, 'replies') })
    const url = `http://127.0.0.1:${port}`
    const servers = await openServers({
      models: { m: { model: 'm', endpoints: [`${url}/v1`], limiter: 'fixed', inFlightMax: inFlight } },
      seed: 1,
      probe: false,
    })
    if (keepReplies) servers.useReplies(replies)
    const model = servers.model('m')
    const never = new AbortController().signal
    const text = '把下面的内容整理成一个问题。'.repeat(40)
    let begun = 0
    let done = 0
    /** Restores the order as a sink does: replies past the first that lacks are held. */
    let released = -1
    const held = new Set<number>()
    let residentMost = 0
    let from = { ms: 0, cpu: process.cpuUsage(), done: 0 }
    let to = { ms: 1, cpuMs: 0, done: 0 }
    const ask = async (n: number): Promise<void> => {
      const answer = await model.ask({
        record: `r${n}`,
        position: [0, n],
        stage: 'label',
        stageOrder: 0,
        request: { kind: 'chat', messages: [{ role: 'user', content: `${n}${text}` }], sampling: { max_tokens: 200 } },
        fault: () => null,
        signal: never,
      })
      if (!('reply' in answer)) throw new Error(`a verdict in a bench without faults: ${answer.verdict.detail}`)
      held.add(n)
      while (held.delete(released + 1)) released++
      servers.releaseUpTo([0, released])
      done++
      if (done % 500 === 0) residentMost = Math.max(residentMost, process.memoryUsage().rss)
      if (done === Math.floor(requests / 10)) from = { ms: performance.now(), cpu: process.cpuUsage(), done }
      if (done === Math.floor(requests * 0.9)) {
        const { user, system } = process.cpuUsage(from.cpu)
        to = { ms: performance.now(), cpuMs: (user + system) / 1000, done }
      }
    }
    const lane = async (): Promise<void> => {
      while (begun < requests) await ask(begun++)
    }
    await Promise.all(Array.from({ length: asked }, lane))
    const { most, cpuMs } = (await (await fetch(`${url}/most`)).json()) as { most: number; cpuMs: number }
    const { indexBytes, size } = replies
    await servers.close()
    await replies.close()
    let replyBytes = 0
    for (const name of await nodeFiles.list(join(folder, 'replies'))) {
      replyBytes += (await nodeFiles.sizeBytes(join(folder, 'replies', name))) ?? 0
    }
    const spanMs = to.ms - from.ms
    return {
      inFlightMost: most,
      requestsPerSecond: (1000 * (to.done - from.done)) / spanMs,
      cores: to.cpuMs / spanMs,
      cpuMsEach: to.cpuMs / (to.done - from.done),
      serverCpuMsEach: cpuMs / requests,
      residentMostMb: residentMost / 1e6,
      replyBytesMb: replyBytes / 1e6,
      indexBytesEach: size === 0 ? 0 : indexBytes / size,
    }
  } finally {
    server.kill()
    await rm(folder, { recursive: true, force: true })
  }
}
