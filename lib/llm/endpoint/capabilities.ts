/**
 * Capabilities of a server, detected by probe.ts and pinned in run.json. Without metrics the limit follows goodput,
 * without prompt lists prompts are sent alone, with few or no log-probabilities scores use those or the published rule.
 */
import { z } from 'zod'
import { CorruptFileError, EndpointError } from '../../errors.js'
import { say } from '../../language/say.js'
import type { ModelOptions } from '../options.js'
import { type PromptLogprobsForm, promptLogprobsForms } from '../protocol/prompt-logprobs.js'
import type { Capabilities, CompletionRequest } from '../types.js'

/** Fits every context, and is Chinese, as the texts are. */
const canaryPrompt = '你好'

/** The options of a model that a probe needs. */
export type ProbedModel = Pick<ModelOptions, 'model' | 'chatTemplateKwargs' | 'extraBody' | 'stream'> & {
  /** Whether a stage needs the log-probabilities of its prompts; false by default. */
  readonly readsPrompts?: boolean
}

/** The smallest request of a kind. */
export function canaryBody(kind: CompletionRequest['kind'], model: ProbedModel): Record<string, unknown> {
  const input = kind === 'chat' ? { messages: [{ role: 'user', content: canaryPrompt }] } : { prompt: canaryPrompt }
  return { model: model.model, ...input, max_tokens: 1, temperature: 0, ...model.extraBody }
}

/** Replaces the text of a stage's request by a harmless one, which passes if only the record is at fault. */
export function harmlessRequest(request: CompletionRequest): CompletionRequest {
  if (request.kind === 'completion') return { ...request, prompt: canaryPrompt }
  const messages = (request.messages ?? []).map((message) =>
    message.role === 'user' ? { role: message.role, content: canaryPrompt } : message,
  )
  return { ...request, messages }
}

/** Returns the capabilities that all endpoints of a model have. */
export function commonCapabilities(all: readonly Capabilities[]): Capabilities {
  const contexts = all.flatMap((each) => (each.contextTokensMax === null ? [] : [each.contextTokensMax]))
  const every = (has: (each: Capabilities) => boolean) => all.length > 0 && all.every(has)
  return {
    server: [...new Set(all.map((each) => each.server))].sort().join(', '),
    contextTokensMax: contexts.length === 0 ? null : Math.min(...contexts),
    metrics: every((each) => each.metrics),
    promptLists: every((each) => each.promptLists),
    logprobs: every((each) => each.logprobs),
    topLogprobs: every(({ topLogprobs }) => topLogprobs !== null)
      ? Math.min(...all.map(({ topLogprobs }) => topLogprobs ?? 0))
      : null,
    continues: every((each) => each.continues),
    maxTokensField: all.some(({ maxTokensField }) => maxTokensField === 'max_completion_tokens')
      ? 'max_completion_tokens'
      : 'max_tokens',
    chatTemplateKwargs: every((each) => each.chatTemplateKwargs),
    unsupported: [...new Set(all.flatMap((each) => each.unsupported))].sort(),
    ...commonForms(all),
  }
}

function commonForms(all: readonly Capabilities[]): Pick<Capabilities, 'promptLogprobs'> {
  if (all.length === 0 || all.some(({ promptLogprobs }) => promptLogprobs === undefined)) return {}
  const hasAll = (form: PromptLogprobsForm) => all.every(({ promptLogprobs = [] }) => promptLogprobs.includes(form))
  return { promptLogprobs: promptLogprobsForms.filter(hasAll) }
}

/** Capabilities that shape the output: an endpoint without one that run.json pins is refused. */
const pinnedCapabilities = ['logprobs', 'continues', 'chatTemplateKwargs'] as const

/** @throws {EndpointError} the endpoint lacks a capability that the run was started with */
export function requireCapabilities(label: string, found: Capabilities, pinned: Capabilities): void {
  const lacking: string[] = pinnedCapabilities.filter((name) => pinned[name] && !found[name])
  lacking.push(...found.unsupported.filter((name) => !pinned.unsupported.includes(name)))
  if ((pinned.topLogprobs ?? 0) > (found.topLogprobs ?? 0) && found.logprobs) {
    lacking.push(`${pinned.topLogprobs} log-probabilities`)
  }
  const form = pinned.promptLogprobs?.[0]
  if (form !== undefined && found.promptLogprobs?.includes(form) === false) {
    lacking.push(`log-probabilities of prompts (form '${form}')`)
  }
  if (lacking.length === 0) return
  throw new EndpointError(
    say`${label} lacks ${lacking.join(', ')}, which this run was started with. Use another endpoint`,
    {
      details: { lacking: lacking.join(', ') },
    },
  )
}

/** Returns the capabilities of a server that is not probed. */
export function assumedCapabilities(): Capabilities {
  return {
    server: 'not probed',
    contextTokensMax: null,
    metrics: false,
    promptLists: false,
    logprobs: false,
    topLogprobs: null,
    continues: false,
    maxTokensField: 'max_tokens',
    chatTemplateKwargs: true,
    unsupported: [],
  }
}

/** Capabilities in run.json; earlier versions wrote fewer fields, and `echo` and `tokenize`, which are ignored. */
const storedCapabilities = z.object({
  server: z.string().default('not probed'),
  contextTokensMax: z.number().nullable().default(null),
  metrics: z.boolean().default(false),
  promptLists: z.boolean().default(false),
  logprobs: z.boolean().default(false),
  topLogprobs: z.number().nullish(),
  continues: z.boolean().optional(),
  maxTokensField: z.enum(['max_tokens', 'max_completion_tokens']).default('max_tokens'),
  chatTemplateKwargs: z.boolean().default(true),
  unsupported: z.array(z.string()).default([]),
  promptLogprobs: z.array(z.enum(promptLogprobsForms)).exactOptional(),
})

/**
 * Parses the capabilities of all models in run.json. Fields that an earlier version did not write get the values that
 * it assumed.
 *
 * @throws {CorruptFileError} they are not valid
 */
export function parseCapabilities(stored: unknown): Record<string, Capabilities> {
  const parsed = z.record(z.string(), storedCapabilities).safeParse(stored)
  if (!parsed.success) {
    throw new CorruptFileError(say`the capabilities in run.json are not valid: ${z.prettifyError(parsed.error)}`)
  }
  return Object.fromEntries(
    Object.entries(parsed.data).map(([name, found]) => [
      name,
      {
        ...found,
        topLogprobs: found.topLogprobs ?? (found.logprobs ? 20 : null),
        continues: found.continues ?? !found.unsupported.includes('continue_final_message'),
      },
    ]),
  )
}

/** Builds the body for this server: omits fields that it refuses and renames `max_tokens` if needed. */
export function acceptedBody(
  body: Record<string, unknown>,
  { unsupported, maxTokensField }: Capabilities,
): Record<string, unknown> {
  for (const name of unsupported) delete body[name]
  if (maxTokensField !== 'max_tokens' && 'max_tokens' in body) {
    body[maxTokensField] = body.max_tokens
    delete body.max_tokens
  }
  return body
}
