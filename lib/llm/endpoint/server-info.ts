/**
 * What a server reports about itself: software, context length, models, metrics. None of it affects the output, so a
 * page that fails counts as absent. Capabilities are detected by probe.ts.
 */
import type { Clock } from '../../core/types.js'
import { RequestRefusedError, ServerError } from '../../errors.js'
import type { Client } from '../protocol/client.js'
import { contextTokensOf } from '../protocol/context-tokens.js'
import { failureOfStatus } from '../protocol/failures.js'
import { asList, type Json, parsedJson } from '../protocol/json.js'
import { isSameModel } from '../protocol/model-names.js'
import { parseServerMetrics } from '../protocol/server-metrics.js'
import { serverNameOf } from '../protocol/server-names.js'

/** Tries of one page, and the wait before the second, ms; doubled for each further one. */
const triesMax = 3
const retryWaitMs = 400
/** Time for one page, ms: a path that hangs must not delay the start. */
const pageDeadlineMs = 10_000
/** Served models that a message lists, at most. */
const namesShownMax = 3

/** Facts that a server reports about itself. */
interface ServerInfo {
  readonly server: string
  readonly contextTokensMax: number | null
  readonly metrics: boolean
  /** Changes when the server is replaced or restarted, as far as it tells; null if it does not list its models. */
  readonly identity: string | null
  /** Lines for the user. */
  readonly notes: readonly string[]
}

interface Page {
  readonly text: string
  /** Empty if it is not a JSON object. */
  readonly body: Json
}

const absent: Page = { text: '', body: {} }

/** Reads the pages on which servers describe themselves. */
export class ServerPages {
  readonly #client: Client
  readonly #headers: Readonly<Record<string, string>>
  readonly #signal: AbortSignal
  readonly #clock: Clock

  constructor(client: Client, headers: Readonly<Record<string, string>>, signal: AbortSignal, clock: Clock) {
    this.#client = client
    this.#headers = headers
    this.#signal = signal
    this.#clock = clock
  }

  /** @param model the recipe's model, whose entry of `/models` is used */
  async info(model: string): Promise<ServerInfo> {
    const paths = ['/version', '/models', '/metrics', '/props', '/info', '/get_model_info'] as const
    const pages = await Promise.all(paths.map((path) => this.#get(path)))
    const [version, models, metrics, props, info, modelInfo] = pages as [Page, Page, Page, Page, Page, Page]
    const listed = asList(models.body.data)
    const entry = listed.find(({ id }) => id === model) ?? (listed.length === 1 ? listed[0] : undefined) ?? {}
    const names = namesOf(listed)
    const isOther = names.length > 0 && !names.some((name) => isSameModel(model, name))
    const described = { version: version.body, props: props.body, info: info.body, modelInfo: modelInfo.body }
    return {
      server: serverNameOf({ ...described, entry }),
      contextTokensMax: contextTokensOf({ ...described, entry }),
      metrics: parseServerMetrics(metrics.text, 0) !== null,
      identity: names.length === 0 ? null : JSON.stringify([names, version.text, startedAt(metrics.text)]),
      notes: isOther ? [`serves ${shownNames(names)}; the recipe says '${model}'`] : [],
    }
  }

  /** Returns the names of the served models; empty if the server does not list them. */
  async modelNames(): Promise<string[]> {
    return namesOf(asList((await this.#get('/models')).body.data))
  }

  async #get(path: string): Promise<Page> {
    for (let tries = 1; ; tries++) {
      const deadline = AbortSignal.timeout(pageDeadlineMs)
      try {
        const signal = AbortSignal.any([this.#signal, deadline])
        const { status, text } = await this.#client.fetch(path, { headers: this.#headers, signal })
        if (status === 200) return { text, body: parsedJson(text) }
        if (isPermanent(failureOfStatus(status, text, { endpoint: this.#client.label }))) return absent
      } catch (error) {
        this.#signal.throwIfAborted()
        if (deadline.aborted) return absent
        if (!(error instanceof ServerError)) throw error
      }
      if (tries === triesMax) return absent
      await this.#clock.sleep(retryWaitMs * 2 ** (tries - 1), this.#signal)
    }
  }
}

/** Whether an error response is permanent: not found, not implemented, refused. */
export function isPermanent(failure: ServerError | RequestRefusedError): boolean {
  if (failure instanceof RequestRefusedError) return true
  return failure.details.kind === 'access' || failure.details.status === 501
}

/** Lists some names, for a message. */
export function shownNames(names: readonly string[]): string {
  return `${names.slice(0, namesShownMax).join(', ')}${names.length > namesShownMax ? ', …' : ''}`
}

/** Returns when the process of the server started, as its metrics say it; null if they do not. */
function startedAt(metrics: string): string | null {
  return /^process_start_time_seconds\s+(\S+)/m.exec(metrics)?.[1] ?? null
}

function namesOf(listed: readonly Json[]): string[] {
  return listed.flatMap(({ id }) => (typeof id === 'string' ? [id] : []))
}
