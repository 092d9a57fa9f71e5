/**
 * Model servers on a virtual clock: the product's queue, limiters, retries and routing against the simulator's engine,
 * with a client that hands requests over in place of HTTP. Minutes of simulated time pass in a second.
 */

import { ServerError } from '../lib/errors.js'
import type { Client } from '../lib/llm/protocol/client.js'
import type { Call } from '../lib/llm/types.js'
import { Engine } from '../lib/simulator/vllm/engine.js'
import { blockTokens, type EnginePreset, namedHashes } from '../lib/simulator/vllm/index.js'
import type { Reply } from '../lib/storage/replies/types.js'
import { HandClock } from './hand-clock.js'

/** Time that passes only when everything that can happen now has happened. */
export class VirtualTime extends HandClock {
  readonly engines: Engine[] = []

  /** Passes time until `done` or `untilMs`. */
  async run(done: () => boolean, untilMs = Number.POSITIVE_INFINITY): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (done() || this.now() >= untilMs) return
      const events = this.engines.map((engine) => engine.nextEventMs ?? Number.POSITIVE_INFINITY)
      const nextMs = Math.min(untilMs, this.nextDueMs, ...events)
      if (!Number.isFinite(nextMs)) throw new Error('nothing will ever happen')
      this.skip(Math.max(0, nextMs - this.now()))
      for (const engine of this.engines) engine.advance(this.now())
      this.advance(0)
    }
  }
}

/** What a bench's request asks: lengths, and what its prompt begins with. */
export interface Work {
  readonly promptTokens: number
  readonly outputTokens: number
  /** Names the text; calls with the same one share all full blocks of their prompt. */
  readonly text?: number
  /** Names the call, for the time that it took. */
  readonly call?: string
}

export interface VirtualServer {
  readonly engine: Engine
  /** Tokens made by second of virtual time. */
  readonly bySecond: number[]
  dead: boolean
  /** From sent to received, by the name of the call, ms. */
  readonly tookMs: Map<string, number>
  /** Breaks all connections, and refuses new ones until `dead` is false. */
  kill(): void
  connect: () => Client
}

/** An engine with the endpoints that the product asks of a server. */
export function virtualServer(time: VirtualTime, preset: EnginePreset, speed = 1): VirtualServer {
  const engine = new Engine(preset.engine)
  engine.setCapacity({ speed })
  time.engines.push(engine)
  const open = new Set<() => void>()
  const server: VirtualServer = {
    engine,
    bySecond: [],
    tookMs: new Map(),
    dead: false,
    kill() {
      server.dead = true
      for (const fail of open) fail()
      open.clear()
    },
    connect: () => ({
      label: 'http://virtual/v1',
      send: (transfer, signal) =>
        new Promise<Reply[]>((resolve, reject) => {
          const prompt = String(transfer.body.prompt)
          // The probe's own request is no work of the bench.
          const work: Work = prompt.startsWith('{') ? JSON.parse(prompt) : { promptTokens: 1, outputTokens: 1 }
          if (server.dead) return reject(gone())
          const sentMs = time.now()
          const ticket = submit(work, () => {
            open.delete(fail)
            if (work.call !== undefined) server.tookMs.set(work.call, time.now() - sentMs)
            const tokens = { promptTokens: work.promptTokens, completionTokens: work.outputTokens }
            resolve([{ text: '好', finishReason: 'stop', ...tokens }])
          })
          const fail = () => {
            ticket?.abort()
            reject(signal.aborted ? signal.reason : gone())
          }
          open.add(fail)
          signal.addEventListener('abort', fail, { once: true })
        }),
      async fetch(path) {
        if (server.dead) throw gone()
        if (path === '/metrics') return { status: 200, text: engine.metrics.text('m') }
        if (path === '/health') return { status: 200, text: '' }
        if (path !== '/completions') return { status: 404, text: '' }
        return { status: 200, text: '{"choices":[{"index":0,"text":"好"}]}' }
      },
      close: async () => undefined,
    }),
  }
  const submit = (work: Work, done: () => void) => {
    const hashes = namedHashes(work.text ?? 0, Math.floor(work.promptTokens / blockTokens))
    return engine.submit(
      {
        promptTokens: work.promptTokens,
        outputTokens: work.outputTokens,
        ...(work.text === undefined ? {} : { hashes }),
        onToken: (_, nowMs) => {
          const second = Math.floor(nowMs / 1000)
          server.bySecond[second] = (server.bySecond[second] ?? 0) + 1
        },
      },
      done,
    )
  }
  return server
}

/** A call that costs what `work` says. */
export function workCall(position: readonly number[], stage: string, stageOrder: number, work: Work): Call {
  return {
    record: position.join('/'),
    position,
    stage,
    stageOrder,
    request: { kind: 'completion', prompt: JSON.stringify(work), sampling: { max_tokens: work.outputTokens } },
    fault: () => null,
    signal: never,
  }
}

const never = new AbortController().signal

function gone(): ServerError {
  return new ServerError('connection refused', { details: { kind: 'connection', words: 'connection refused' } })
}
