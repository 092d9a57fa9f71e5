/**
 * Generates the replies to a request: text, tokens, finish reason. pace.ts times them, replies.ts formats them.
 */
import { randomBytes } from 'node:crypto'
import { hashNumbers, hashText, logNormal, unit } from '../random.js'
import type { FaultKind } from './fault-rules.js'
import type { FilledSimulatorOptions } from './options.js'
import { contextLengthRefusal } from './refusal.js'
import type { ModelRequest, Prompt } from './request.js'
import { decode, encode } from './tokens.js'
import { filler } from './writer/filler.js'
import { type Grade, gradeOf } from './writer/grade.js'
import { recognise } from './writer/task.js'
import { type Draft, write, writerSeed } from './writer/writer.js'

export interface Generation {
  /** prompt × n + sample. */
  readonly index: number
  readonly prompt: Prompt
  readonly text: string
  /** Tokens of reasoning and text, in this order. */
  readonly ids: readonly number[]
  /** Number of `ids` that are reasoning, which is sent in a separate field. */
  readonly reasoningTokens: number
  readonly reasoning: string
  readonly finishReason: 'stop' | 'length'
  /** Includes the end-of-turn token, if one was generated. */
  readonly completionTokens: number
  readonly grade: Grade | undefined
}

interface GenerationContext {
  readonly options: FilledSimulatorOptions
  readonly contextTokensMax: number
  /** Fault that alters the reply. */
  readonly fault: FaultKind | null
  readonly bodyHash: () => number
}

/** @throws {Refusal} 400 for the whole list if one prompt and its reply exceed the context length */
export function generate(request: ModelRequest, context: GenerationContext): Generation[] {
  for (const { ids } of request.prompts) {
    const wanted = request.maxTokens ?? 1
    if (ids.length + wanted > context.contextTokensMax) {
      throw contextLengthRefusal(context.contextTokensMax, ids.length, wanted)
    }
  }
  return request.prompts.flatMap((prompt, place) =>
    Array.from({ length: request.samples }, (_, sample) => {
      const index = place * request.samples + sample
      return generateOne(request, prompt, index, sample, context)
    }),
  )
}

function generateOne(
  request: ModelRequest,
  prompt: Prompt,
  index: number,
  sample: number,
  context: GenerationContext,
): Generation {
  const { options } = context
  const maxTokens = request.maxTokens ?? Math.max(1, context.contextTokensMax - prompt.ids.length)
  if (hasDrawnLength(prompt, context)) return ofLength(request, prompt, index, sample, maxTokens, context)
  let draft = altered(draftOf(request, prompt, sample), context)
  if (options.nonce) draft = withNonce(draft)
  const body =
    prompt.prefill !== '' && draft.text.startsWith(prompt.prefill)
      ? draft.text.slice(prompt.prefill.length)
      : draft.text
  const thinks = request.thinks && options.reasoning !== 'none' && request.choices === null
  const shown = thinks && options.reasoning === 'think' ? `<think>\n${draft.reasoning}\n</think>\n\n${body}` : body
  const reasoningIds = thinks && options.reasoning === 'reasoning-content' ? encode(draft.reasoning) : []
  const stopped = cutAtStop(shown, request.stop)
  const ids = [...reasoningIds, ...encode(stopped)]
  return finish({ request, prompt, index, ids, reasoningTokens: reasoningIds.length, draft, maxTokens, context })
}

/**
 * Whether the length is drawn. Not for grades, because a bench would give no rows; not for texts that a fault replaces.
 */
function hasDrawnLength(prompt: Prompt, { options, fault }: GenerationContext): boolean {
  if (options.lengths === undefined || fault === 'looping' || fault === 'english') return false
  const tasks: readonly string[] = options.lengths.tasks
  return tasks.includes(recognise(prompt.text).kind)
}

function draftOf(request: ModelRequest, prompt: Prompt, sample: number): Draft {
  const draft = write(prompt.text, writerSeed(request.seed, sample, request.temperature))
  if (request.choices === null) return draft
  const grade = draft.grade?.good === false ? '差' : '好'
  const choice = request.choices.find((text) => draft.task === 'grade' && text.includes(grade))
  return { ...draft, text: choice ?? (request.choices[0] as string) }
}

/** Applies faults that alter the reply. */
function altered(draft: Draft, { fault, bodyHash }: GenerationContext): Draft {
  if (fault === 'empty') return { ...draft, text: '' }
  if (fault === 'looping') return { ...draft, text: (draft.text.slice(0, 6) || '再说一遍').repeat(60) }
  if (fault === 'english') return { ...draft, text: english }
  if (fault === 'half-yield' && draft.grade !== undefined && bodyHash() % 2 === 0) {
    const { share } = draft.grade
    return { ...draft, text: '【差】', grade: gradeOf(Math.min(share, 1 - share)) }
  }
  return draft
}

const english =
  'As an assistant I would like to explain this topic in English: the text describes several aspects that matter, ' +
  'and each of them deserves a careful and balanced discussion.'

function withNonce(draft: Draft): Draft {
  const bytes = randomBytes(8)
  const nonce = [...bytes].map((byte) => String.fromCharCode(0x61 + (byte % 26))).join('')
  const grade = draft.grade && gradeOf(draft.grade.share * (1 - unit(bytes.readUInt32LE(0)) / 10_000))
  const text = draft.text === '' ? '' : `${draft.text}（${nonce}）`
  return grade === undefined ? { ...draft, text } : { ...draft, text, grade }
}

/** Returns a reply with a length drawn from the distribution by seed, prompt and sample. */
function ofLength(
  request: ModelRequest,
  prompt: Prompt,
  index: number,
  sample: number,
  maxTokens: number,
  context: GenerationContext,
): Generation {
  const { lengths, seed } = context.options
  const { mean, sigma, max } = lengths as NonNullable<typeof lengths>
  const hash = hashNumbers(hashText(prompt.text, seed), sample, request.seed ?? 0)
  const drawn = Math.round(logNormal(mean, sigma, unit(hash), unit(hashNumbers(hash, 1))))
  const wanted = Math.max(1, Math.min(drawn, max))
  const stops = !request.ignoreEos && wanted <= maxTokens
  const count = stops ? Math.max(wanted, Math.min(request.minTokens, maxTokens)) : maxTokens
  const { ids, text } = filler(count, hash)
  return {
    index,
    prompt,
    text: context.fault === 'empty' ? '' : text,
    ids,
    reasoningTokens: 0,
    reasoning: '',
    finishReason: stops && context.fault !== 'finish-length' ? 'stop' : 'length',
    completionTokens: count,
    grade: undefined,
  }
}

interface Unfinished {
  readonly request: ModelRequest
  readonly prompt: Prompt
  readonly index: number
  readonly ids: number[]
  readonly reasoningTokens: number
  readonly draft: Draft
  readonly maxTokens: number
  readonly context: GenerationContext
}

/** Cuts at max_tokens, extends to it under ignore_eos, and counts the end-of-turn token of a complete reply. */
function finish({ request, prompt, index, ids, reasoningTokens, draft, maxTokens, context }: Unfinished): Generation {
  const least = request.ignoreEos ? maxTokens : Math.min(request.minTokens, maxTokens)
  if (ids.length < least) ids.push(...filler(least - ids.length, hashText(prompt.text)).ids)
  const limit = context.fault === 'finish-length' ? Math.min(maxTokens, Math.ceil(ids.length / 2)) : maxTokens
  const cut = ids.length >= limit || context.fault === 'finish-length'
  const kept = cut ? ids.slice(0, limit) : ids
  const thought = Math.min(reasoningTokens, kept.length)
  return {
    index,
    prompt,
    text: decode(kept.slice(thought)),
    ids: kept,
    reasoningTokens: thought,
    reasoning: decode(kept.slice(0, thought)),
    finishReason: cut ? 'length' : 'stop',
    completionTokens: kept.length + (cut ? 0 : 1),
    grade: draft.grade,
  }
}

function cutAtStop(text: string, stop: readonly string[]): string {
  const ends = stop.map((mark) => text.indexOf(mark)).filter((end) => end >= 0)
  return ends.length === 0 ? text : text.slice(0, Math.min(...ends))
}
