/**
 * Detects a server's capabilities by their effect: a status of 200 may mean that a field was ignored.
 *
 * A finding affects the whole dataset and is pinned, so a transient failure is never a finding. A finding is a response
 * that shows the effect; a refusal that names the field; any other refusal that comes twice while the same request
 * without the field passes; or a failure so consistent, beside requests that pass, that its probability by chance is
 * below one in a million. Anything else is thrown: the caller waits, as in an outage.
 */
import { setMaxListeners } from 'node:events'
import { systemClock } from '../../core/clock.js'
import type { Clock } from '../../core/types.js'
import { EndpointError, type KunStreamError, RequestRefusedError, ServerError } from '../../errors.js'
import { say } from '../../language/say.js'
import type { Client } from '../protocol/client.js'
import { noChannel } from '../protocol/failure-table.js'
import { asList, asObject, type Json } from '../protocol/json.js'
import { type PromptLogprobsForm, promptLogprobsFields, promptLogprobsForms } from '../protocol/prompt-logprobs.js'
import { requestPath } from '../protocol/reply-body.js'
import type { Capabilities, CompletionRequest } from '../types.js'
import { canaryBody, type ProbedModel } from './capabilities.js'
import { type Baseline, type Failure, ProbeExchange, type ProbeResponse } from './probe-exchange.js'
import type { ProbeMemory } from './probe-memory.js'
import {
  canaryPrompt,
  chatLogprobs,
  continuationFields,
  continuedTurn,
  fullChat,
  gradeMessages,
  labelPrompt,
  openedTurn,
  optionalFields,
  topLogprobsTried,
  turn,
  userMessage,
} from './probe-requests.js'
import { allowedNumber, beginsThought, hasPromptLogprobs, readableLogprobs } from './probe-responses.js'
import { ServerPages, shownNames } from './server-info.js'

/** A text of a few tokens, whose log-probabilities are requested. */
const readPrompt = '今天天气很好，我们去公园散步。'

/** Findings about a server, with the kind of request it accepts; `capabilities` is the part for stages. */
export interface Probe {
  readonly capabilities: Capabilities
  /** The kind of request that its canary uses. */
  readonly kind: CompletionRequest['kind']
  /** Lines for the user about requests that will differ from the recipe. */
  readonly notes: readonly string[]
}

/** Options for `probeEndpoint`; all optional. */
export interface ProbeOptions {
  readonly clock?: Clock
  /**
   * Asks only what shapes the requests of stages and their replies: not lists of prompts, not completions where chat
   * passes, not arguments of the template that the model does not have. `promptLists` is false then.
   */
  readonly brief?: boolean
  /** Responses of an earlier process, which are not requested again. */
  readonly memory?: ProbeMemory
}

/** Responses to the requests that ask for several capabilities at once; null for one that showed nothing. */
interface Shown {
  readonly full: ProbeResponse
  /** The first response of an opened turn, if the server continues it by fields. */
  readonly continued: ProbeResponse | null
  /** Whether a temperature other than 0 is known to pass. */
  readonly temperature: boolean
}

/**
 * Probes an endpoint's capabilities for a model: with six short requests if it accepts everything, else about twenty.
 *
 * @throws {EndpointError} it supports neither chat nor completions for this model; the message has its error text
 * @throws {ServerError} it cannot be reached, is loading, busy or failing: probe again later
 */
export async function probeEndpoint(
  client: Client,
  headers: Readonly<Record<string, string>>,
  model: ProbedModel,
  signal: AbortSignal,
  options: ProbeOptions = {},
): Promise<Probe> {
  setMaxListeners(0, signal) // one listener per request, concurrently
  const prober = new Prober(client, headers, model, signal, options)
  return prober.probe()
}

class Prober {
  readonly #client: Client
  readonly #headers: Readonly<Record<string, string>>
  readonly #model: ProbedModel
  readonly #signal: AbortSignal
  readonly #brief: boolean
  readonly #memory: ProbeMemory | null
  readonly #pages: ServerPages
  readonly #exchange: ProbeExchange

  constructor(
    client: Client,
    headers: Readonly<Record<string, string>>,
    model: ProbedModel,
    signal: AbortSignal,
    { clock = systemClock, brief = false, memory }: ProbeOptions,
  ) {
    this.#client = client
    this.#headers = headers
    this.#model = model
    this.#signal = signal
    this.#brief = brief
    this.#memory = memory ?? null
    this.#exchange = new ProbeExchange(client, headers, signal, clock)
    this.#pages = new ServerPages(client, headers, signal, clock)
  }

  async probe(): Promise<Probe> {
    const model = this.#model
    const described = this.#pages.info(model.model)
    described.catch(() => undefined) // awaited below, unless another request fails before
    if (this.#memory !== null) {
      this.#exchange.memory = this.#memory.of(this.#client.label, (await described).identity, Date.now())
    }
    const [shown, found] = await this.#forms().catch(async (error) => {
      throw await this.#withServedNames(error)
    })
    const { kind, completion, maxTokensField } = found
    const { chat, kwargsPass } = await this.#chatTemplate(found.chat, (found.chat ?? completion) as Baseline, shown)
    const plain = (kind === 'chat' ? chat : completion) as Baseline
    const fieldNames = Object.keys(optionalFields).filter((name) => !found.without.includes(name))
    const open = shown === null ? fieldNames : shown.temperature ? [] : ['temperature']
    const [about, list, topLogprobs, continued, promptLogprobs, ...fields] = await Promise.all([
      described,
      completion === null || this.#brief
        ? null
        : this.#exchange.decide(completion, { prompt: [canaryPrompt, canaryPrompt] }, plain),
      this.#topLogprobs(kind, plain, shown),
      shown?.continued ? ('by fields' as const) : this.#turnContinuation(chat, plain),
      model.readsPrompts ? this.#promptLogprobs(completion, plain) : null,
      ...open.map((name) => this.#exchange.decide(plain, { [name]: optionalFields[name] }, plain)),
    ])
    const thinks =
      continued !== 'no' && topLogprobs !== null && (await this.#thinks(chat, continued, topLogprobs, plain, shown))
    const continuing = thinks ? 'no' : continued
    const unsupported = [
      ...found.without,
      ...open.filter((_, place) => fields[place]?.error !== null),
      ...(continued === 'by fields' ? [] : Object.keys(continuationFields)),
      ...(kwargsPass || model.chatTemplateKwargs === undefined ? [] : ['chat_template_kwargs']),
    ]
    const capabilities: Capabilities = {
      server: about.server,
      contextTokensMax: about.contextTokensMax,
      metrics: about.metrics,
      promptLists: list !== null && list.error === null && asList(list.body.choices).length === 2,
      logprobs: topLogprobs !== null,
      topLogprobs,
      continues: kind === 'chat' && continuing !== 'no',
      maxTokensField,
      chatTemplateKwargs: kwargsPass,
      unsupported,
      ...(promptLogprobs !== null && { promptLogprobs }),
    }
    return { kind, capabilities, notes: [...about.notes, ...this.#notes(capabilities, thinks)] }
  }

  /** Asks for everything at once, then for what that leaves open of the forms of requests. */
  async #forms() {
    const full = await this.#once(fullChat(this.#model))
    if (full === null) return [null, await this.#baselines(null)] as const
    const path = '/chat/completions'
    const [found, opened, continued] = await Promise.all([
      this.#baselines({ path, body: canaryBody('chat', this.#model) }),
      this.#once(openedTurn(this.#model)),
      this.#once(continuedTurn(this.#model)),
    ])
    const isContinued = opened !== null && continued !== null && promptTokens(continued) < promptTokens(opened)
    const shown: Shown = { full, continued: isContinued ? continued : null, temperature: opened !== null }
    return [shown, found] as const
  }

  /** Sends a chat request once; null if there is no reply, which is not a finding. */
  async #once(body: Json): Promise<ProbeResponse | null> {
    const response = await this.#exchange.send('/chat/completions', body)
    if (response.error !== null && !(response.error instanceof RequestRefusedError)) return null
    this.#exchange.keep('/chat/completions', body, response)
    return response.error === null ? response : null
  }

  /**
   * Finds the smallest request of each kind that passes.
   *
   * @param known that of a chat, if a larger one passes
   */
  async #baselines(known: Baseline | null) {
    const model = this.#model
    const unknown: FormSearch = { plain: null, failure: null, path: '', body: {} }
    const chatForm = () =>
      known === null
        ? this.#acceptedForm('/chat/completions', canaryBody('chat', model))
        : Promise.resolve({ ...unknown, plain: known })
    const completionForm = () => this.#acceptedForm('/completions', canaryBody('completion', model))
    const isNeeded = !this.#brief || model.readsPrompts === true
    const [chat, completion] = isNeeded
      ? await Promise.all([chatForm(), completionForm()])
      : await chatForm().then(
          async (found) => [found, found.plain === null ? await completionForm() : unknown] as const,
        )
    let [chatPlain, completionPlain] = [chat.plain, completion.plain]
    // If neither passes, the server is down; if one does, the other is checked again beside it.
    if (chatPlain === null && completionPlain === null) throw this.#unusable(chat.failure, completion.failure)
    if (chatPlain === null) chatPlain = await this.#recheck(chat, completionPlain as Baseline)
    else if (completionPlain === null && completion !== unknown)
      completionPlain = await this.#recheck(completion, chatPlain)
    const kind: CompletionRequest['kind'] = chatPlain === null ? 'completion' : 'chat'
    const { body } = (chatPlain ?? completionPlain) as Baseline
    return {
      kind,
      chat: chatPlain,
      completion: completionPlain,
      maxTokensField: 'max_completion_tokens' in body ? ('max_completion_tokens' as const) : ('max_tokens' as const),
      without: 'temperature' in body ? [] : ['temperature'],
    }
  }

  /** Builds the chat as stages will send it: the template settings change how turns are opened. */
  async #chatTemplate(
    chat: Baseline | null,
    plain: Baseline,
    shown: Shown | null,
  ): Promise<{ chat: Baseline | null; kwargsPass: boolean }> {
    if (chat === null) return { chat, kwargsPass: false }
    const { chatTemplateKwargs } = this.#model
    const fields = { chat_template_kwargs: { ...chatTemplateKwargs } }
    const isKnown = chatTemplateKwargs === undefined ? this.#brief : shown !== null
    const kwargsPass = isKnown || (await this.#exchange.decide(chat, fields, plain)).error === null
    if (!kwargsPass || chatTemplateKwargs === undefined) return { chat, kwargsPass }
    return { chat: { path: chat.path, body: { ...chat.body, ...fields } }, kwargsPass }
  }

  async #recheck({ plain, failure, path, body }: FormSearch, other: Baseline): Promise<Baseline | null> {
    if (plain !== null || failure instanceof RequestRefusedError) return plain
    return (await this.#acceptedForm(path, body, other)).plain
  }

  /**
   * Finds the form of the canary that this server accepts: some reject `max_tokens` or any temperature but their own.
   * With a request that passes beside it the result is definite; without one, the first transient failure ends the
   * search.
   */
  async #acceptedForm(path: string, body: Json, beside: Baseline | null = null): Promise<FormSearch> {
    const { max_tokens, ...renamed } = body
    const { temperature: _, ...fixed } = body
    const { temperature: __, ...both } = renamed
    const variants = [
      body,
      { ...renamed, max_completion_tokens: max_tokens },
      fixed,
      { ...both, max_completion_tokens: max_tokens },
    ]
    let failure: Failure | null = null
    const tried: { sent: Json; response: ProbeResponse }[] = []
    for (const variant of variants) {
      const asked = { path, body: variant }
      const response = await (beside === null
        ? this.#exchange.send(path, variant)
        : this.#exchange.decide(asked, {}, beside))
      const { error } = response
      tried.push({ sent: variant, response })
      if (error === null) {
        for (const { sent, response } of tried) this.#exchange.keep(path, sent, response)
        return { plain: asked, failure: null, path, body }
      }
      // Not the refusal of an earlier variant: this one may be accepted later.
      if (!(error instanceof RequestRefusedError)) return { plain: null, failure: error, path, body }
      failure ??= error
    }
    return { plain: null, failure, path, body }
  }

  /** Finds the largest number of readable log-probabilities; null for none. */
  async #topLogprobs(kind: CompletionRequest['kind'], plain: Baseline, shown: Shown | null): Promise<number | null> {
    const prompt = kind === 'chat' ? { messages: [{ role: 'user', content: labelPrompt }] } : { prompt: labelPrompt }
    const fields = (count: number) => (kind === 'chat' ? chatLogprobs(count) : { logprobs: count })
    if (shown !== null) {
      const [best] = topLogprobsTried
      return this.#countIfReadable(kind, plain, { ...prompt, ...fields(best) }, shown.full, best)
    }
    let most: number = topLogprobsTried[0]
    for (const count of topLogprobsTried) {
      if (count > most) continue
      const answer = await this.#exchange.decide(plain, { ...prompt, ...fields(count) }, plain)
      if (answer.error !== null) {
        most = Math.max(2, allowedNumber(String(answer.error.details.words ?? ''), count) ?? count - 1)
        if (most < count && !topLogprobsTried.some((each) => each === most)) {
          const exact = await this.#exchange.decide(plain, { ...prompt, ...fields(most) }, plain)
          if (exact.error === null)
            return this.#countIfReadable(kind, plain, { ...prompt, ...fields(most) }, exact, most)
        }
        continue
      }
      return this.#countIfReadable(kind, plain, { ...prompt, ...fields(count) }, answer, count)
    }
    return null
  }

  /** Repeats the check of a flaky effect; if the recipe streams, the effect must show in a stream. */
  async #countIfReadable(
    kind: CompletionRequest['kind'],
    plain: Baseline,
    fields: Json,
    first: ProbeResponse,
    count: number,
  ) {
    let readable = readableLogprobs(first.body)
    if (!readable) readable = readableLogprobs((await this.#exchange.decide(plain, fields, plain)).body)
    if (!readable || !this.#model.stream) return readable ? count : null
    const transfer = { kind, body: { ...plain.body, ...fields }, prompts: 1, headers: this.#headers, stream: true }
    try {
      const [reply] = await this.#client.send(transfer, this.#signal)
      return reply?.firstTokenLogprobs === undefined ? null : count
    } catch (error) {
      if (!(error instanceof RequestRefusedError)) throw error
      throw new EndpointError(
        say`${this.#client.label} does not stream replies: ${String(error.details.words)}. Set stream: false`,
        { details: error.details },
      )
    }
  }

  /** Finds the forms in which the server gives the log-probabilities of a prompt; a missing effect is checked twice. */
  async #promptLogprobs(completion: Baseline | null, plain: Baseline): Promise<PromptLogprobsForm[]> {
    if (completion === null) return []
    const { max_completion_tokens: renamed, max_tokens: _, ...body } = completion.body
    const given = await Promise.all(
      promptLogprobsForms.map(async (form) => {
        const { max_tokens: tokens, ...rest } = promptLogprobsFields[form]
        const limit = renamed === undefined ? { max_tokens: tokens } : { max_completion_tokens: tokens }
        const asked = { prompt: readPrompt, ...rest, ...limit }
        for (let checks = 0; checks < 2; checks++) {
          const { error, body: reply } = await this.#exchange.decide({ ...completion, body }, asked, plain)
          if (error !== null) return false
          if (hasPromptLogprobs(reply, asked)) return true
        }
        return false
      }),
    )
    return promptLogprobsForms.filter((_, index) => given[index])
  }

  /**
   * Whether an opened assistant turn is continued: by vLLM's fields, or by the server itself. A continued turn is
   * neither closed nor followed by the opening of another, so its prompt has fewer tokens; a turn that the server
   * continues by itself adds only the tokens of its text, which a second, longer turn shows.
   */
  async #turnContinuation(chat: Baseline | null, plain: Baseline): Promise<'by fields' | 'by itself' | 'no'> {
    if (chat === null) return 'no'
    const [user, opened, longer, fields] = await Promise.all([
      this.#exchange.decide(chat, { messages: [userMessage] }, plain),
      this.#exchange.decide(chat, { messages: turn('你') }, plain),
      this.#exchange.decide(chat, { messages: turn('你饭') }, plain),
      this.#exchange.decide(chat, { messages: turn('你'), ...continuationFields }, plain),
    ])
    if (promptTokens(fields) < promptTokens(opened)) return 'by fields'
    const added = promptTokens(opened) - promptTokens(user)
    return added > 0 && added <= promptTokens(longer) - promptTokens(opened) ? 'by itself' : 'no'
  }

  /**
   * Whether an opened turn begins with a thought anyway: the log-probabilities of its first token are then those of the
   * thought. Detected by effect: the requested label is not among them, and a reasoning parser or a mark shows a
   * thought.
   */
  async #thinks(
    chat: Baseline | null,
    continuing: 'by fields' | 'by itself',
    count: number,
    plain: Baseline,
    shown: Shown | null,
  ): Promise<boolean> {
    if (chat === null) return false
    if (shown?.continued) return beginsThought(asList(shown.continued.body.choices)[0] ?? {})
    const continued = continuing === 'by fields' ? continuationFields : {}
    const fields = { messages: gradeMessages, ...continued, ...chatLogprobs(count) }
    const { error, body } = await this.#exchange.decide(chat, fields, plain)
    if (error !== null) return false
    return beginsThought(asList(body.choices)[0] ?? {})
  }

  #notes({ topLogprobs, maxTokensField, unsupported }: Capabilities, thinks: boolean): string[] {
    const dropped = unsupported.filter((name) => name === 'temperature' || name === 'chat_template_kwargs')
    return [
      ...(topLogprobs !== null && topLogprobs < topLogprobsTried[0]
        ? [`gives ${topLogprobs} log-probabilities, not ${topLogprobsTried[0]}: scores rest on those`]
        : []),
      ...(maxTokensField === 'max_tokens' ? [] : [`takes ${maxTokensField} in place of max_tokens`]),
      ...(thinks
        ? [
            'thinks before it answers: scores follow the written word. Set chatTemplateKwargs: { enable_thinking: false }',
          ]
        : []),
      ...(dropped.length === 0 ? [] : [`does not take ${dropped.join(', ')}: not sent`]),
    ]
  }

  /** Adds the served models to an error about an unknown model; a proxy without that model is not waited for. */
  async #withServedNames(error: unknown): Promise<unknown> {
    if (!(error instanceof EndpointError || error instanceof ServerError)) return error
    const { serverCode, words } = error.details
    const noModel = /^model_?not_?(?:found|exist)/i.test(String(serverCode)) || noChannel.test(String(words))
    if (error instanceof ServerError && !noModel) return error
    const names = await this.#pages.modelNames()
    if (names.length === 0 || names.includes(this.#model.model)) return error
    // The same error as from a server without a proxy.
    const details = { ...error.details, status: error instanceof ServerError ? 404 : (error.details.status ?? 404) }
    return new EndpointError(say`${error.message}. It serves ${shownNames(names)}`, { cause: error, details })
  }

  #unusable(...failures: readonly (Failure | null)[]): KunStreamError {
    // A transient failure takes precedence: the caller waits and probes again.
    const waited = failures.find((failure) => failure instanceof ServerError && failure.details.kind !== 'access')
    if (waited) return waited
    const [shown] = failures.filter((failure) => failure !== null).sort((a, b) => rank(a) - rank(b))
    const { status = 0, words = '' } = shown?.details ?? {}
    const { label } = this.#client
    const details = { status: status as number }
    if (status === 404 && !/\/v\d+$/.test(label)) {
      return new EndpointError(
        say`${label} answers neither ${requestPath('chat')} nor ${requestPath('completion')} for model
          '${this.#model.model}' (${status}): ${words}. The address has no /v1: write ${label}/v1`,
        { details },
      )
    }
    return new EndpointError(
      say`${label} answers neither ${requestPath('chat')} nor ${requestPath('completion')} for model
        '${this.#model.model}' (${status}): ${words}. Check the model's name, the address and the key`,
      { details },
    )
  }
}

/** Tokens of the prompt of a response; NaN without. */
function promptTokens({ error, body }: ProbeResponse): number {
  return error === null ? Number(asObject(body.usage).prompt_tokens) : Number.NaN
}

interface FormSearch {
  readonly plain: Baseline | null
  readonly failure: Failure | null
  readonly path: string
  /** The first variant. */
  readonly body: Json
}

/** Order of failures in the error message: a missing page (404) is the least informative. */
function rank({ details }: Failure): number {
  return details.status === 404 ? 1 : 0
}
