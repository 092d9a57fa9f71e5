/**
 * Sends the requests of a probe and decides what a response means: a transient failure is never a finding. Serves responses
 * that an earlier process kept.
 */
import type { Clock } from '../../core/types.js'
import { RequestRefusedError, ServerError } from '../../errors.js'
import { say } from '../../language/say.js'
import type { Client } from '../protocol/client.js'
import { embeddedError } from '../protocol/error-body.js'
import { failureOf, failureOfStatus, isOutOfTokens } from '../protocol/failures.js'
import { asList, type Json, parsedJson } from '../protocol/json.js'
import { blameMax, rateMin } from './health.js'
import type { ServerMemory } from './probe-memory.js'
import { isPermanent } from './server-info.js'

/** Waits between the rounds of a question, ms: 200, doubled up to 2 s. */
const waitMs = 200
const waitMaxMs = 2000
/** Rounds of one probe request until the server counts as down. */
const roundsMax = 40
/** Refusals of the same request, beside a request that passes, that make a finding. */
const refusalsMin = 2

export type Failure = ServerError | RequestRefusedError

export interface ProbeResponse {
  /** Null without a response. */
  readonly status: number | null
  readonly text: string
  readonly body: Json
  /** Null if it is a reply. */
  readonly error: Failure | null
}

/** Set once a request of a kind is known to pass. */
export interface Baseline {
  readonly path: string
  readonly body: Json
}

/** Requests and responses of one probe. */
export class ProbeExchange {
  readonly #client: Client
  readonly #headers: Readonly<Record<string, string>>
  readonly #signal: AbortSignal
  readonly #clock: Clock
  /** Kept responses of this server; null without a memory, or before its pages are read. */
  memory: ServerMemory | null = null
  #baselinePassed = 0
  #baselineFailed = 0

  constructor(client: Client, headers: Readonly<Record<string, string>>, signal: AbortSignal, clock: Clock) {
    this.#client = client
    this.#headers = headers
    this.#signal = signal
    this.#clock = clock
  }

  /** Gets a definite result for a plain request with added fields. */
  async decide(asked: Baseline, fields: Json, plain: Baseline): Promise<ProbeResponse> {
    const body = { ...asked.body, ...fields }
    const response = await this.#definite({ path: asked.path, body }, plain)
    this.keep(asked.path, body, response)
    return response
  }

  async #definite({ path, body }: Baseline, plain: Baseline): Promise<ProbeResponse> {
    let blame = 0
    let refusals = 0
    let failure: Failure | null = null
    for (let round = 0; round < roundsMax; round++) {
      const answer = await this.send(path, body)
      if (answer.error === null) return answer
      failure = answer.error
      if (failure instanceof RequestRefusedError && failure.details.reason === 'field') return answer
      const beside = await this.send(plain.path, plain.body)
      if (beside.error === null) {
        this.#baselinePassed++
        if (isPermanent(failure) && ++refusals >= refusalsMin) return answer
        if (failure.details.kind === 'status' || failure.details.kind === 'malformed') {
          const rate = this.#baselineFailed / (this.#baselineFailed + this.#baselinePassed)
          blame -= Math.log(Math.max(rateMin, rate))
          if (blame >= blameMax) return answer
        }
      } else this.#baselineFailed++
      await this.#clock.sleep(Math.min(waitMaxMs, waitMs * 2 ** round), this.#signal)
    }
    throw failure instanceof ServerError
      ? failure
      : new ServerError(String(failure?.message), {
          details: { ...failure?.details, kind: 'status' },
        })
  }

  async send(path: string, body: Json): Promise<ProbeResponse> {
    const client = this.#client
    const headers = this.#headers
    const signal = this.#signal
    const asked = { endpoint: client.label, fields: Object.keys(body) }
    let answered: { status: number; text: string }
    try {
      answered = this.memory?.find(path, body) ?? (await client.fetch(path, { headers, signal, body }))
    } catch (error) {
      if (!(error instanceof ServerError)) throw error
      return { status: null, text: '', body: {}, error }
    }
    const { status, text } = answered
    const parsed = parsedJson(text)
    if (isOutOfTokens(status, text)) return { status, text, body: {}, error: null }
    const within = status === 200 ? embeddedError(parsed) : null
    const error =
      status !== 200
        ? failureOfStatus(status, text, asked)
        : within !== null
          ? failureOf(within, status, asked)
          : asList(parsed.choices).length > 0
            ? null
            : new ServerError(say`${client.label} sent no reply: ${text.slice(0, 100)}`, {
                details: { kind: 'malformed', words: text.slice(0, 100) },
              })
    if (error?.details.kind === 'account') throw error
    return { status, text, body: parsed, error }
  }

  /** Keeps a definite response for a later process. */
  keep(path: string, body: Json, { status, text }: ProbeResponse): void {
    if (status !== null) this.memory?.keep(path, body, { status, text })
  }
}
