/** The prompt files of a recipe: reads them at the start of a run, checks them, and fills in their sha256. */
import { RecipeError } from '../errors.js'
import { promptFields } from '../kun/options.js'
import { readPromptFile } from '../kun/prompt-file.js'
import { say } from '../language/say.js'
import { isRecord, pathText } from './document.js'
import { placeholderProblem, unknownPlaceholders } from './placeholder-checks.js'
import type { Recipe } from './schema.js'

/** Prompts of the stages, and the fields of the record that they must have. */
const prompts = [
  ['screen', 'prompt', promptFields.screen],
  ['label', 'prompt', promptFields.label],
  ['score', 'prompt', promptFields.score],
  ['polish', 'prompt', promptFields.polish],
  ['pair', 'promptAnswers', promptFields.pairAnswers],
  ['pair', 'promptFollows', promptFields.pairFollows],
] as const

/**
 * Returns the recipe with the sha256 of each prompt file.
 *
 * @throws {RecipeError} a file cannot be read, is not a prompt, has another sha256, or lacks a field of the record
 */
export function withPromptHashes(recipe: Recipe): Recipe {
  const kun: Record<string, unknown> = { ...recipe.kun }
  for (const [stage, field, needed] of prompts) {
    const options = kun[stage]
    const prompt: unknown = isRecord(options) ? options[field] : undefined
    if (!isRecord(prompt) || typeof prompt.file !== 'string') continue
    const file = { file: prompt.file, ...(typeof prompt.sha256 === 'string' && { sha256: prompt.sha256 }) }
    const sha256 = checkedHash(`kun.${stage}.${field}`, file, needed)
    kun[stage] = { ...(options as object), [field]: { ...file, sha256 } }
  }
  const typed = unknownPlaceholders(recipe.kun, true).find(({ meant }) => meant !== null)
  if (typed !== undefined) throw new RecipeError(`${pathText(typed.path)} ${placeholderProblem(typed)}`)
  return { ...recipe, kun: kun as Recipe['kun'] }
}

function checkedHash(
  path: string,
  file: { readonly file: string; readonly sha256?: string },
  needed: readonly string[],
): string {
  const { prompt, sha256 } = readPromptFile(file)
  const absent = needed.map((field) => `{${field}}`).filter((placeholder) => !prompt.text.includes(placeholder))
  if (absent.length === 0) return sha256
  throw new RecipeError(say`${path}: ${file.file} has no ${absent.join(' and no ')}, which the stage needs`)
}
