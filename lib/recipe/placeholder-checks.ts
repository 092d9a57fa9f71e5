/**
 * Placeholders of prompts that a record has no field for. Such braces are sent unchanged, which is intended for some texts;
 * one that is close to the name of a field is taken for a typing error.
 */
import type { KunOptions } from '../kun/options.js'
import { plannedStages } from '../kun/planned-stages.js'
import { readPromptFile } from '../kun/prompt-file.js'
import { placeholderPattern } from '../kun/prompts.js'
import { say } from '../language/say.js'
import { isRecord, type Path } from './document.js'
import { nearest } from './nearest.js'

/** A placeholder that no field of the record replaces. */
export interface UnknownPlaceholder {
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

/** Prompts of the stages, and the fields that each gets. */
const stagePrompts = [
  ['screen', 'prompt', ofText],
  ['label', 'prompt', [...ofText, 'kind']],
  ['score', 'prompt', [...ofText, 'instruction']],
  ['polish', 'prompt', [...ofText, 'instruction']],
  ['pair', 'promptAnswers', [...ofText, 'instruction', 'output']],
  ['pair', 'promptFollows', [...ofText, 'instruction', 'output']],
] as const

/** Returns the unknown placeholders of all prompts in the recipe. @param withFiles reads prompt files, too */
export function unknownPlaceholders(kun: KunOptions, withFiles = false): UnknownPlaceholder[] {
  const ofStages = stagePrompts.flatMap(([stage, field, fields]) => {
    const options = kun[stage] as Readonly<Record<string, unknown>> | undefined
    return unknownIn(textOf(options?.[field], withFiles), ['kun', stage, field], fields)
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
  return withFiles && typeof prompt.file === 'string' ? readPromptFile({ file: prompt.file }).prompt.text : ''
}

function unknownIn(text: string, path: Path, fields: readonly string[]): UnknownPlaceholder[] {
  const names = new Set([...text.matchAll(placeholderPattern)].map(([, name]) => name as string))
  return [...names]
    .filter((name) => !fields.includes(name))
    .map((name) => {
      const meant = nearest(name, fields)
      return { path: [...path, 'text'], placeholder: `{${name}}`, meant: meant === null ? null : `{${meant}}`, fields }
    })
}
