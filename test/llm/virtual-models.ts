/** Model servers on a virtual clock whose answers a function gives: hours of outages and back-off pass in a second. */
import { VirtualTime } from '../../bench/llm-virtual.js'
import { type KunStreamError, ServerError } from '../../lib/errors.js'
import { assumedCapabilities } from '../../lib/llm/endpoint/capabilities.js'
import type { ModelInput } from '../../lib/llm/options.js'
import type { Client, WireRequest } from '../../lib/llm/protocol/client.js'
import { failureOfStatus } from '../../lib/llm/protocol/failures.js'
import { rateLimitsOf } from '../../lib/llm/protocol/rate-limits.js'
import { type ModelServers, openServers } from '../../lib/llm/scheduler/model-servers.js'
import type { Answer, Capabilities } from '../../lib/llm/types.js'
import { call, chat } from './model-server.js'

/** What a virtual server does with a request: reply after `ms`, fail as it says, or never answer. */
export type Behaviour =
  | { readonly reply: string; readonly ms?: number; readonly headers?: Record<string, string> }
  | {
      readonly status: number
      readonly body?: unknown
      readonly ms?: number
      readonly headers?: Record<string, string>
    }
  | { readonly reset: true; readonly ms?: number }
  | { readonly hang: true }

export interface VirtualAsked {
  /** The text of the user's message or of the prompt; of a list, all of them. */
  readonly texts: readonly string[]
  readonly nowMs: number
  readonly endpoint: string
  /** Requests before it at this endpoint. */
  readonly nth: number
}

export type VirtualAnswer = (asked: VirtualAsked) => Behaviour

export interface VirtualRunOptions {
  readonly answer: VirtualAnswer
  readonly records: number
  readonly endpoints?: readonly string[]
  readonly model?: Partial<ModelInput>
  readonly outageMaxMs?: number
  readonly inFlightMax?: number
  /** No run may take longer, virtual ms; a run that does is reported as `'hangs'`. */
  readonly boundMs: number
  readonly onEvent?: (words: string) => void
  /** One-token completions at temperature 0, that may go as lists. */
  readonly lists?: number
  readonly stage?: (n: number) => string
}

export interface VirtualRun {
  /** By record: 'reply' or the reason of its verdict; null where the run ended before. */
  readonly ends: readonly (string | null)[]
  readonly details: readonly (string | null)[]
  readonly error: KunStreamError | null
  readonly hangs: boolean
  readonly tookMs: number
  readonly requests: number
}

const tokens = { promptTokens: 1, completionTokens: 1 }

function textsOf({ body }: WireRequest): string[] {
  const messages = body.messages as { content: string }[] | undefined
  if (messages !== undefined) return [String(messages.findLast(({ content }) => content)?.content)]
  return Array.isArray(body.prompt) ? body.prompt.map(String) : [String(body.prompt)]
}

function virtualClient(url: string, time: VirtualTime, answer: VirtualAnswer, count: { requests: number }): Client {
  let nth = 0
  const send: Client['send'] = async (transfer, signal) => {
    count.requests++
    const texts = textsOf(transfer)
    const does = answer({ texts, nowMs: time.now(), endpoint: url, nth: nth++ })
    if ('hang' in does) {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
    }
    await time.sleep(does.ms ?? 5, signal)
    if ('reply' in does) {
      const limits = rateLimitsOf(does.headers ?? {}, time.now())
      if (limits !== null) transfer.onLimits?.(limits)
      return texts.map(() => ({ text: does.reply, finishReason: 'stop', ...tokens }))
    }
    if ('reset' in does) throw new ServerError('reset', { details: { kind: 'connection', words: 'reset' } })
    const { status, body = { error: { message: `status ${status}` } }, headers = {} } = does
    throw failureOfStatus(status, JSON.stringify(body), { endpoint: url, headers })
  }
  return {
    label: url,
    send,
    fetch: async (path, { signal }) => {
      if (path !== '/health') return { status: 404, text: '' }
      const does = answer({ texts: ['/health'], nowMs: time.now(), endpoint: url, nth: nth++ })
      if ('status' in does) return { status: does.status, text: JSON.stringify(does.body ?? '') }
      if ('reset' in does) throw new ServerError('reset', { details: { kind: 'connection', words: 'reset' } })
      if ('hang' in does) {
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
      }
      return { status: 200, text: '' }
    },
    close: async () => undefined,
  }
}

/** Asks about `records` records at once and reports how each ended, and that all did within the bound. */
export async function virtualRun(options: VirtualRunOptions): Promise<VirtualRun> {
  const { answer, records, endpoints = ['http://one/v1'], boundMs, lists = 1 } = options
  const time = new VirtualTime()
  const count = { requests: 0 }
  const limits = { limiter: 'fixed' as const, inFlightMax: options.inFlightMax ?? 8 }
  const capabilities: Capabilities = { ...assumedCapabilities(), promptLists: lists > 1 }
  const servers: ModelServers = await openServers({
    models: {
      writer: { model: 'm', endpoints: [...endpoints], ...limits, promptsPerRequest: lists, ...options.model },
    },
    seed: 5,
    probe: false,
    pinned: { writer: capabilities },
    clock: time,
    ...(options.outageMaxMs !== undefined && { servers: { outageMaxMs: options.outageMaxMs } }),
    onEvent: ({ words }) => options.onEvent?.(words),
    connect: (url) => virtualClient(url, time, answer, count),
  })
  const ends = new Array<string | null>(records).fill(null)
  const details = new Array<string | null>(records).fill(null)
  let error: KunStreamError | null = null
  let open = records
  const note = (n: number, result: Answer) => {
    ends[n] = 'verdict' in result ? result.verdict.reason : 'reply'
    if ('verdict' in result) details[n] = result.verdict.detail
  }
  for (let n = 0; n < records; n++) {
    const text = `记录${n}。`
    const request =
      lists > 1
        ? { kind: 'completion' as const, prompt: text, sampling: { max_tokens: 1, temperature: 0 } }
        : chat(text)
    servers
      .model('writer')
      .ask(call(n, { request, ...(options.stage && { stage: options.stage(n) }) }))
      .then((result) => note(n, result))
      .catch((caught) => {
        error ??= caught as KunStreamError
      })
      .finally(() => open--)
  }
  await time.run(() => open === 0, boundMs)
  const hangs = open > 0
  const tookMs = time.now()
  let closed = false
  const closing = servers.close().finally(() => {
    closed = true
  })
  await time.run(() => closed, tookMs + 3_600_000)
  await closing
  return { ends, details, error, hangs, tookMs, requests: count.requests }
}
