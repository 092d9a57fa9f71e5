/** Assembles a streamed reply from its server-sent events. */

import { ServerError } from '../../errors.js'
import type { Reply } from '../../storage/replies/types.js'
import { choiceError, embeddedError, readErrorBody } from './error-body.js'
import { finishReason, missingReason } from './finish-reason.js'
import { asObject, type Json } from './json.js'
import { firstTokenLogprobs } from './logprobs.js'
import {
  buildReply,
  choicesOf,
  parseObject,
  type ReplyContext,
  reasoningOf,
  reportModel,
  textOf,
  throwServerError,
} from './reply-body.js'
import { EventParser } from './sse.js'

/** Parser of one streamed reply. Memory: the text of the reply. */
export class StreamedReply {
  readonly #asked: ReplyContext
  readonly #events: EventParser
  readonly #content: string[] = []
  readonly #reasoning: string[] = []
  #reason: string | null = null
  #done = false
  /** An event has named the model. */
  #named = false
  #usage: unknown = null
  #logprobs: Reply['firstTokenLogprobs']

  constructor(asked: ReplyContext) {
    this.#asked = asked
    this.#events = new EventParser((data, name) => this.#event(data, name))
  }

  /**
   * Adds decoded text as it arrives; events may be split anywhere.
   *
   * @throws {ServerError | RequestRefusedError} an event is an error, or not JSON
   */
  push(text: string): void {
    this.#events.push(text)
  }

  /**
   * Returns the reply. If the stream ended with `[DONE]` but no reason, its finish reason is 'missing'.
   *
   * @throws {ServerError} the stream ended before the reply did
   */
  end(): Reply {
    this.#events.end()
    if (this.#reason === null && !this.#done) {
      const words = 'the server ended a stream before the reply was finished'
      throw new ServerError(words, { details: { kind: 'stream', words } })
    }
    return buildReply({
      content: this.#content.join(''),
      reasoning: this.#reasoning.join(''),
      reason: this.#reason,
      logprobs: this.#logprobs,
      counted: { usage: this.#usage, prompts: 1, body: this.#asked.body, place: 0 },
    })
  }

  #event(data: string, name: string): void {
    const text = data.trim()
    if (text === '') return
    if (text === '[DONE]') {
      this.#done = true
      return
    }
    if (name === 'error') {
      throwServerError(readErrorBody(text), this.#asked)
      return
    }
    const event = parseObject(text)
    throwServerError(embeddedError(event), this.#asked)
    if (!this.#named) {
      this.#named = typeof event.model === 'string'
      reportModel(event, this.#asked)
    }
    if (event.usage !== undefined && event.usage !== null) this.#usage = event.usage
    for (const choice of choicesOf(event)) this.#choice(asObject(choice))
  }

  #choice(choice: Json): void {
    // Further samples of the prompt (`n` above 1) are not used.
    if (choice.index !== undefined && choice.index !== null && Number(choice.index) !== 0) return
    throwServerError(choiceError(choice), this.#asked)
    const delta = asObject(choice.delta)
    const content = textOf(choice.delta === undefined ? choice.text : delta.content)
    const reasoning = reasoningOf(delta)
    this.#content.push(content)
    this.#reasoning.push(reasoning)
    if (content !== '' || reasoning !== '') this.#asked.onText?.(reasoning + content)
    this.#logprobs ??= firstTokenLogprobs(choice.logprobs)
    const reason = finishReason(choice.finish_reason)
    if (reason !== missingReason) this.#reason = reason
  }
}
