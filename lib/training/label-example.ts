/** Examples for training a label model: from a reply to the instruction that it answers (instruction back-translation). */
import { templates } from '../kun/prompts.js'
import { kunLabelStop, kunLabelSuffix } from '../kun/templates.js'
import type { Example } from './example.js'
import type { ExampleForm } from './forms.js'

/** Prompts of the label stage that a label model can be trained on. */
export const labelPrompts = ['label-kun', 'label-chat'] as const
export type LabelPrompt = (typeof labelPrompts)[number]

/** Beginning of a user's turn in the published completion prompt; in a list of messages the chat template adds it. */
const userTurn = '<|im_start|>user'

/**
 * Turns an example around: the user's message is the label prompt with the output in it, as a run renders it, and the
 * reply is the instruction. A system prompt is dropped: a run does not send one to the label model.
 *
 * With `label-kun` and the form `completion` the prompt is the published one to the last character, and the completion
 * ends with its stop mark.
 */
export function labelExample({ instruction, output }: Example, prompt: LabelPrompt, form: ExampleForm): Example {
  const rendered = templates[prompt].render({ text: output, instruction: '', title: '', heading: '' })
  if (prompt === 'label-chat')
    return { instruction: rendered.messages?.at(-1)?.content ?? '', output: instruction, system: '' }
  const whole = rendered.prompt ?? ''
  if (form === 'completion') return { instruction: whole, output: instruction + kunLabelStop[0], system: '' }
  return { instruction: whole.slice(userTurn.length, -kunLabelSuffix.length), output: instruction, system: '' }
}
