/**
 * The prompts of a recipe: those in files are read at the start of a run, which fills in their sha256; all are checked for
 * placeholders that a record has no field for. Such braces are sent unchanged, which is intended for some texts; one that
 * is close to the name of a field is taken for a typing error.
 */
import { isRecord } from '../core/objects.js'
import { RecipeError } from '../errors.js'
import { type KunOptions, promptFields } from '../kun/options.js'
import { plannedStages } from '../kun/planned-stages.js'
import { type PromptFileOptions, readPromptFile } from '../kun/prompt-file.js'
import { placeholderPattern } from '../kun/prompts.js'
import { say } from '../language/say.js'
import { type Path, pathText } from './document.js'
import { nearest } from './nearest.js'
import type { Recipe } from './schema.js'

/** A placeholder that no field of the record replaces. */
interface UnknownPlaceholder {
  /** Of the prompt's text in the recipe. */
  readonly path: Path
  /** As in the prompt, with braces. */
  readonly placeholder: string
  /** The field that was probably meant, with braces; null if none is close. */
  readonly meant: string | null
  /** Fields that the prompt may contain. */
  readonly fields: readonly string[]
}

const ofText = ['text', 'title', 'heading'] as const

/** Prompts of the stages: the fields that each gets, and those that it must have. */
const stagePrompts = [
  ['screen', 'prompt', ofText, promptFields.screen],
  ['label', 'prompt', [...ofText, 'kind'], promptFields.label],
  ['score', 'prompt', [...ofText, 'instruction'], promptFields.score],
  ['polish', 'prompt', [...ofText, 'instruction'], promptFields.polish],
  ['pair', 'promptAnswers', [...ofText, 'instruction', 'output'], promptFields.pairAnswers],
  ['pair', 'promptFollows', [...ofText, 'instruction', 'output'], promptFields.pairFollows],
] as const

/**
 * Returns the recipe with the sha256 of each prompt file.
 *
 * @throws {RecipeError} a file cannot be read, is not a prompt, has another sha256, or lacks a field of the record
 */
export function withPromptHashes(recipe: Recipe): Recipe {
  const kun: Record<string, unknown> = { ...recipe.kun }
  for (const [stage, field, fields, needed] of stagePrompts) {
    const options = kun[stage]
    const file = isRecord(options) ? fileOf(options[field]) : null
    if (file === null) continue
    const { prompt, sha256 } = readPromptFile(file)
    const absent = needed.map((field) => `{${field}}`).filter((placeholder) => !prompt.text.includes(placeholder))
    if (absent.length > 0) {
      const path = `kun.${stage}.${field}`
      throw new RecipeError(say`${path}: ${file.file} has no ${absent.join(' and no ')}, which the stage needs`)
    }
    const typed = unknownIn(prompt.text, ['kun', stage, field], fields).find(({ meant }) => meant !== null)
    if (typed !== undefined) throw new RecipeError(`${pathText(typed.path)} ${placeholderProblem(typed)}`)
    kun[stage] = { ...(isRecord(options) && options), [field]: { ...file, sha256 } }
  }
  return { ...recipe, kun: kun as Recipe['kun'] }
}

/** Returns a prompt that is in a file; null for any other. */
function fileOf(prompt: unknown): PromptFileOptions | null {
  if (!isRecord(prompt) || typeof prompt.file !== 'string') return null
  return { file: prompt.file, ...(typeof prompt.sha256 === 'string' && { sha256: prompt.sha256 }) }
}

/** Returns the unknown placeholders of all prompts in the recipe. @param withFiles reads prompt files, too */
export function unknownPlaceholders(kun: KunOptions, withFiles = false): UnknownPlaceholder[] {
  const ofStages = stagePrompts.flatMap(([stage, field, fields]) => {
    const options: unknown = kun[stage]
    return unknownIn(textOf(isRecord(options) ? options[field] : undefined, withFiles), ['kun', stage, field], fields)
  })
  const stages = plannedStages(kun)
  const ofColumns = stages.flatMap(({ column, rank }) => {
    if (column === null) return []
    const cells = stages.filter((stage) => stage.rank < rank).flatMap(({ columns }) => columns.map(({ name }) => name))
    const fields = [...ofText, 'instruction', 'output', ...cells]
    return unknownIn(column.prompt.text, ['kun', 'columns', kun.columns.indexOf(column), 'prompt'], fields)
  })
  return [...ofStages, ...ofColumns]
}

/** What is wrong, and what to do. */
export function placeholderProblem({ placeholder, meant, fields }: UnknownPlaceholder): string {
  if (meant === null) {
    const known = fields.map((field) => `{${field}}`).join(', ')
    return say`has ${placeholder}, which is sent unchanged: no field of the record has this name; fields are ${known}`
  }
  const blank = placeholder.replace('{', '{ ').replace('}', ' }')
  return say`has ${placeholder}, which is not a field of the record; did you mean ${meant}? Write ${blank} to send it unchanged`
}

function textOf(prompt: unknown, withFiles: boolean): string {
  if (!isRecord(prompt)) return ''
  if (typeof prompt.text === 'string') return prompt.text
  const file = withFiles ? fileOf(prompt) : null
  return file === null ? '' : readPromptFile({ file: file.file }).prompt.text
}

function unknownIn(text: string, path: Path, fields: readonly string[]): UnknownPlaceholder[] {
  const names = new Set([...text.matchAll(placeholderPattern)].map(([, name = '']) => name))
  return [...names]
    .filter((name) => !fields.includes(name))
    .map((name) => {
      const meant = nearest(name, fields)
      return { path: [...path, 'text'], placeholder: `{${name}}`, meant: meant === null ? null : `{${meant}}`, fields }
    })
}
