/** The server under test: its capabilities, single timed requests, and the load that it reports. */
import { setTimeout as sleep } from 'node:timers/promises'
import { errorMessage } from '../caught-error.js'
import { KunStreamError } from '../errors.js'
import { acceptedBody } from '../llm/endpoint/capabilities.js'
import { type Client, httpClient, requestHeaders } from '../llm/protocol/client.js'
import { requestBody } from '../llm/protocol/reply-body.js'
import { parseServerMetrics, type ServerFigures } from '../llm/protocol/server-metrics.js'
import { openServers } from '../llm/scheduler/model-servers.js'
import type { Capabilities, CompletionRequest } from '../llm/types.js'
import type { RequestRecord } from './request-record.js'

export interface TargetOptions {
  readonly url: string
  readonly model: string
  readonly apiKey?: string | undefined
  readonly concurrencyMax: number
  readonly seed: number
}

/** Longest time of one request, ms. */
const requestMsMax = 300_000
const metricsIntervalMs = 500
const metricsMsMax = 5000
const errorCharsMax = 200

export class Target {
  readonly options: TargetOptions
  readonly capabilities: Capabilities
  readonly #client: Client
  readonly #headers: Record<string, string>

  private constructor(options: TargetOptions, capabilities: Capabilities) {
    this.options = options
    this.capabilities = capabilities
    this.#client = httpClient(options.url, options.concurrencyMax + 2)
    this.#headers = requestHeaders({}, options.apiKey)
  }

  /** @throws {EndpointError} the server does not respond, or does not serve the model */
  static async open(options: TargetOptions): Promise<Target> {
    const servers = await openServers({
      models: { bench: modelInput(options) },
      seed: options.seed,
    })
    const capabilities = servers.capabilities().bench as Capabilities
    await servers.close()
    return new Target(options, capabilities)
  }

  get label(): string {
    return this.#client.label
  }

  /** Sends one request. A failure is part of the record. @throws the signal's reason */
  async send(request: CompletionRequest, number: number, signal: AbortSignal): Promise<RequestRecord> {
    return this.#timed(request.kind, this.#body(request, number), 1, signal)
  }

  /** Sends completions as one request with a list of prompts. All have the sampling of the first. */
  async sendList(requests: readonly CompletionRequest[], number: number, signal: AbortSignal): Promise<RequestRecord> {
    const body = this.#body(requests[0] as CompletionRequest, number)
    body.prompt = requests.map(({ prompt }) => prompt ?? '')
    return this.#timed('completion', body, requests.length, signal)
  }

  #body(request: CompletionRequest, number: number): Record<string, unknown> {
    return acceptedBody(requestBody(request, { model: this.options.model }, number), this.capabilities)
  }

  async #timed(
    kind: CompletionRequest['kind'],
    body: Record<string, unknown>,
    prompts: number,
    signal: AbortSignal,
  ): Promise<RequestRecord> {
    const startMs = performance.now()
    let firstMs: number | null = null
    const onText = (): void => {
      firstMs ??= performance.now()
    }
    const transfer = { kind, body, prompts, headers: this.#headers, stream: prompts === 1, onText }
    const deadline = AbortSignal.timeout(requestMsMax)
    try {
      const replies = await this.#client.send(transfer, AbortSignal.any([signal, deadline]))
      const sum = (of: (reply: (typeof replies)[number]) => number) => replies.reduce((all, each) => all + of(each), 0)
      return {
        startMs,
        firstMs,
        endMs: performance.now(),
        prompts,
        promptTokens: sum((reply) => reply.promptTokens),
        outputTokens: sum((reply) => reply.completionTokens),
        failure: '',
      }
    } catch (error) {
      signal.throwIfAborted()
      const failure = deadline.aborted ? `no reply within ${requestMsMax / 1000} s` : messageOf(error)
      return { startMs, firstMs, endMs: performance.now(), prompts, promptTokens: 0, outputTokens: 0, failure }
    }
  }

  /** Reads /metrics until the signal is aborted; resolves with the samples. None if the server has no metrics. */
  async watch(signal: AbortSignal): Promise<ServerFigures[]> {
    const samples: ServerFigures[] = []
    while (this.capabilities.metrics && !signal.aborted) {
      try {
        const own = AbortSignal.any([signal, AbortSignal.timeout(metricsMsMax)])
        const { text } = await this.#client.fetch('/metrics', { headers: this.#headers, signal: own })
        const sample = parseServerMetrics(text, performance.now())
        if (sample !== null) samples.push(sample)
        await sleep(metricsIntervalMs, undefined, { signal })
      } catch (error) {
        if (!signal.aborted && !(error instanceof KunStreamError) && !isTimeout(error)) throw error
      }
    }
    return samples
  }

  async close(): Promise<void> {
    await this.#client.close()
  }
}

/** Options of the model as `openServers` takes them. */
export function modelInput({ url, model, apiKey, concurrencyMax }: TargetOptions) {
  return { model, endpoints: [url], inFlightMax: concurrencyMax, ...(apiKey === undefined ? {} : { apiKey }) }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError'
}

function messageOf(error: unknown): string {
  return errorMessage(error).slice(0, errorCharsMax)
}
