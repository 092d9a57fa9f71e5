/** Schema of a custom template: a prompt that a recipe or a prompt file contains. */
import { z } from 'zod'

/** A custom template of a recipe. Every placeholder is replaced, once. */
export const customTemplateOptions = z.strictObject({
  text: z
    .string()
    .min(1)
    .describe('The prompt; {text}, {instruction}, {title} and {heading} stand for the fields of the record'),
  version: z.string().min(1).optional().describe('Goes to the prompt_version column; a hash of the rest when absent'),
  kind: z.enum(['chat', 'completion']).default('chat').describe('Which endpoint: chat/completions or completions'),
  system: z.string().min(1).optional().describe('A system message before it; chat only'),
  stop: z.array(z.string().min(1)).optional().describe('Texts at which the reply ends'),
})
export type CustomTemplateOptions = z.output<typeof customTemplateOptions>
