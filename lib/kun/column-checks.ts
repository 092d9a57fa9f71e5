/** Checks of the columns of a recipe that concern more than one field. */
import { type ColumnOptions, isReservedName } from './column-options.js'
import type { KunOptions } from './options.js'
import { placeholderPattern } from './prompts.js'
import { type Phase, phases } from './stage-ranks.js'

interface ColumnIssue {
  /** Under `kun`. */
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** Returns what is wrong, in the order of the recipe. */
export function columnIssues(kun: KunOptions): ColumnIssue[] {
  return kun.columns.flatMap((column, index) =>
    [...nameIssues(column, kun.columns.slice(0, index)), ...placeIssues(column, kun), ...typeIssues(column)].map(
      ({ path, message }) => ({ path: ['columns', index, ...path], message }),
    ),
  )
}

/** Returns what is wrong with one column by itself. */
export function columnFaults(column: ColumnOptions): string[] {
  return [...nameIssues(column, []), ...typeIssues(column)].map(({ path, message }) => `${path.join('.')} ${message}`)
}

function nameIssues({ name }: ColumnOptions, earlier: readonly ColumnOptions[]): ColumnIssue[] {
  if (isReservedName(name))
    return [issue(['name'], `found "${name}", a name that kun-stream uses itself; choose another`)]
  const twin = earlier.find((other) => other.name.toLowerCase() === name.toLowerCase())
  if (twin === undefined) return []
  return [issue(['name'], `found "${name}" next to "${twin.name}"; readers that ignore case need different names`)]
}

function placeIssues({ name, after, prompt }: ColumnOptions, kun: KunOptions): ColumnIssue[] {
  const found: ColumnIssue[] = []
  if (after !== 'dedup' && kun[after] === undefined) {
    found.push(issue(['after'], `found ${after}, but the recipe has no kun.${after}`))
  }
  const asked = new Set([...prompt.text.matchAll(placeholderPattern)].map(([, field]) => field as string))
  const isBefore = (stage: Phase): boolean => phases.indexOf(after) < phases.indexOf(stage)
  if (asked.has('instruction') && isBefore('label')) {
    found.push(
      issue(['prompt', 'text'], `has {instruction}, which does not exist after ${after}; use after: label or later`),
    )
  }
  if (asked.has('output') && isBefore('polish')) {
    found.push(
      issue(['prompt', 'text'], `has {output}, which does not exist after ${after}; use after: polish or later`),
    )
  }
  const place = kun.columns.findIndex((column) => column.name === name)
  const later = kun.columns.find((column, index) => asked.has(column.name) && !comesBefore(column, index, after, place))
  if (later !== undefined) {
    found.push(issue(['prompt', 'text'], `has {${later.name}}, a column that is not asked before this one`))
  }
  return found
}

/** Whether a column is asked before another one, by their stages and their places in the list. */
function comesBefore({ after }: ColumnOptions, index: number, otherAfter: Phase, otherIndex: number): boolean {
  if (after === otherAfter) return index < otherIndex
  return phases.indexOf(after) < phases.indexOf(otherAfter)
}

function typeIssues({ type, values, min, max, keepIf = {} }: ColumnOptions): ColumnIssue[] {
  const found: ColumnIssue[] = []
  if ((type === 'enum') !== (values !== undefined)) {
    found.push(issue(['values'], type === 'enum' ? 'is needed for type: enum' : 'applies to type: enum only'))
  }
  if (new Set(values).size !== (values?.length ?? 0)) found.push(issue(['values'], 'has a value twice'))
  const isNumber = type === 'number'
  if (!isNumber && (min !== undefined || max !== undefined)) {
    found.push(issue([min === undefined ? 'max' : 'min'], 'applies to type: number only'))
  }
  if (!isNumber && (keepIf.min !== undefined || keepIf.max !== undefined)) {
    found.push(issue(['keepIf'], 'min and max apply to type: number only'))
  }
  if (type !== 'enum' && type !== 'text' && (keepIf.in !== undefined || keepIf.notIn !== undefined)) {
    found.push(issue(['keepIf'], 'in and notIn apply to type: enum and text only'))
  }
  const unknown = [...(keepIf.in ?? []), ...(keepIf.notIn ?? [])].find((word) => values?.includes(word) === false)
  if (unknown !== undefined) found.push(issue(['keepIf'], `found "${unknown}", which is not in values`))
  return found
}

function issue(path: ColumnIssue['path'], message: string): ColumnIssue {
  return { path, message }
}
