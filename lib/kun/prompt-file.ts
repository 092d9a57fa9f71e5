/**
 * Prompts in files of their own: for words that belong to others, or that several recipes share. A file is JSON with the
 * fields of a custom template and a name; run.json pins its sha256.
 */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { readRefusal } from '../caught-error.js'
import { unpinned } from '../core/option-meta.js'
import { RecipeError } from '../errors.js'
import { customTemplateOptions } from './custom-template.js'
import { paperPromptsFolder } from './preset.js'

/** `prompt:` of a stage that names a file. */
export const promptFileOptions = z.strictObject({
  file: z
    .string()
    .min(1)
    .meta(unpinned('A JSON file with the prompt, relative to the working directory; paper-prompts writes such files')),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .meta({ allowed: '64 hexadecimal digits' })
    .optional()
    .describe('sha256 that the file must have; filled in when a run starts'),
})
export type PromptFileOptions = z.output<typeof promptFileOptions>

/** Content of a prompt file. */
const promptFileSchema = customTemplateOptions.extend({ name: z.string().regex(/^[\w.-]+$/) })
export type PromptFileContent = z.output<typeof promptFileSchema>

/** Larger than any prompt. */
const promptFileBytesMax = 1024 * 1024

/**
 * Reads a prompt file. Synchronous: once for each stage, at the start of a run.
 *
 * @throws {RecipeError} it cannot be read, is not a prompt, or has another sha256 than the options
 */
export function readPromptFile({ file, sha256 }: PromptFileOptions): {
  readonly prompt: PromptFileContent
  readonly sha256: string
} {
  const bytes = bytesOf(file)
  const found = hash('sha256', bytes)
  if (sha256 !== undefined && sha256 !== found) {
    throw new RecipeError(
      `the prompt file ${file} was changed: its sha256 is ${found.slice(0, 12)}…, expected is ${sha256.slice(0, 12)}…; restore it, or start over in another directory`,
      { details: { file } },
    )
  }
  return { prompt: contentOf(file, bytes), sha256: found }
}

function bytesOf(file: string): Buffer {
  try {
    const bytes = readFileSync(file)
    if (bytes.length <= promptFileBytesMax) return bytes
  } catch (cause) {
    const why = readRefusal(cause)
    const hint = file.startsWith(`${paperPromptsFolder}/`)
      ? 'write it with: kun-stream paper-prompts FOLDER (a clone of COIG-Kun), or set `prompt` of the stage to a built-in one'
      : 'give the path of a prompt file'
    throw new RecipeError(`the prompt file ${file} cannot be read: ${why}; ${hint}`, { cause, details: { file } })
  }
  throw new RecipeError(`the prompt file ${file} is larger than ${promptFileBytesMax / 1024} KiB`, {
    details: { file },
  })
}

function contentOf(file: string, bytes: Buffer): PromptFileContent {
  const invalid = (why: string, cause?: unknown) =>
    new RecipeError(
      `the prompt file ${file} is not a prompt: ${why}; allowed is a JSON map with name, text, and if needed kind, system, stop, version`,
      { cause, details: { file } },
    )
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw invalid('it is not JSON in UTF-8', cause)
  }
  const parsed = promptFileSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw invalid(`${issue?.path.join('.') || 'the file'}: ${issue?.message ?? ''}`)
}
