/**
 * Requests of a probe. The first ones ask for several capabilities at once: a server that accepts them all, and shows their
 * effect, is probed with six requests rather than sixteen. Only what they leave open is asked one by one. Pure.
 */
import type { Json } from '../protocol/json.js'
import { canaryBody, type ProbedModel } from './capabilities.js'

/** Sampling fields that a stage may send. */
export const optionalFields: Readonly<Record<string, unknown>> = {
  seed: 1,
  top_k: 50,
  min_p: 0.01,
  repetition_penalty: 1.05,
  temperature: 0.5,
  top_p: 0.95,
}

/** Numbers of log-probabilities to request, the best first: vLLM gives 20 by default. */
export const topLogprobsTried = [20, 10, 5, 2] as const

/** Prompts for a Chinese character, to see whether its tokens are readable. */
export const labelPrompt = '请只回答一个字：好'
export const canaryPrompt = '你好'
export const userMessage = { role: 'user', content: canaryPrompt }
export const turn = (content: string) => [userMessage, { role: 'assistant', content }]
export const continuationFields = { add_generation_prompt: false, continue_final_message: true }

/** A turn whose first token is the grade. */
export const gradeMessages = [
  { role: 'user', content: labelPrompt },
  { role: 'assistant', content: '【' },
]

/** Log-probabilities in a chat. */
export const chatLogprobs = (count: number) => ({ logprobs: true, top_logprobs: count })

/** The smallest chat request, with the arguments of the template as stages send them. */
function templatedChat(model: ProbedModel): Json {
  const { chatTemplateKwargs } = model
  return {
    ...canaryBody('chat', model),
    ...(chatTemplateKwargs !== undefined && { chat_template_kwargs: { ...chatTemplateKwargs } }),
  }
}

/** A chat with all optional fields, except for the temperature, which the next one has, and log-probabilities. */
export function fullChat(model: ProbedModel): Json {
  const { temperature: _, ...fields } = optionalFields
  const messages = [{ role: 'user', content: labelPrompt }]
  return { ...templatedChat(model), ...fields, messages, ...chatLogprobs(topLogprobsTried[0]) }
}

/** An opened turn that is not continued, with another temperature than 0. */
export function openedTurn(model: ProbedModel): Json {
  return { ...templatedChat(model), messages: gradeMessages, temperature: optionalFields.temperature }
}

/** The same turn, continued by vLLM's fields, with log-probabilities. */
export function continuedTurn(model: ProbedModel): Json {
  const fields = { ...continuationFields, ...chatLogprobs(topLogprobsTried[0]) }
  return { ...templatedChat(model), messages: gradeMessages, ...fields }
}
