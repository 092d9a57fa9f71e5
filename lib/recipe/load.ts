/**
 * Loads a recipe: reads the file, applies `--set` overrides, converts units, validates, and fills in defaults. Does not
 * check whether files, endpoints and repositories exist.
 */
import { isRecord } from '../core/objects.js'
import { RecipeError } from '../errors.js'
import { withPreset } from '../kun/preset.js'
import { parseUnit } from './byte-units.js'
import { crossChecks } from './cross-checks.js'
import { type Path, pathText, recipeDocument } from './document.js'
import { issueLines } from './issues.js'
import { readRecipeText } from './read-text.js'
import { builtinModel, type Recipe, recipeOptions } from './schema.js'
import { childOf, unitOf, unwrap } from './schema-tree.js'

/**
 * Loads the recipe in a YAML file; `-` is standard input.
 *
 * @param overrides `path=value`, applied in order; the value is YAML
 * @throws {RecipeError} with one line per issue: place, path, value found, allowed values
 * @throws {UsageError} an override is not `path=value`
 */
export async function loadRecipe(path: string, overrides: readonly string[] = []): Promise<Recipe> {
  return parseRecipe(await readRecipeText(path), path === '-' ? 'standard input' : path, overrides)
}

/** Parses the text of a recipe; `file` is its name in messages. */
export function parseRecipe(text: string, file: string, overrides: readonly string[] = []): Recipe {
  const document = recipeDocument(text, file, overrides)
  const nuls = pathsWithNul(document.value)
  if (nuls.length > 0) {
    throw invalid(
      file,
      nuls.map((path) => `${document.locate(path)} ${pathText(path)}: contains a NUL character (\\0); remove it`),
    )
  }
  const value = withNumbers(withLongForms(document.value), recipeOptions)
  const result = recipeOptions.safeParse(value)
  if (!result.success) throw invalid(file, issueLines(recipeOptions, result.error.issues, { ...document, value }))
  const found = crossChecks(result.data)
  if (found.length > 0) {
    throw invalid(
      file,
      found.map(({ path, message }) => `${document.locate(path)} ${pathText(path)}: ${message}`),
    )
  }
  return withDependentDefaults(result.data, value)
}

/** Fields whose values are sent to a model server unchanged; elsewhere a NUL would become part of a path or a header. */
const sentUnchanged: ReadonlySet<string> = new Set(['extraBody', 'chatTemplateKwargs'])

/** Returns the paths of strings and keys with a NUL. */
function pathsWithNul(value: unknown, path: Path = []): Path[] {
  if (typeof value === 'string') return value.includes('\0') ? [path] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    if (sentUnchanged.has(key)) return []
    const below = [...path, Array.isArray(value) ? Number(key) : key]
    return key.includes('\0') ? [below] : pathsWithNul(inner, below)
  })
}

function invalid(file: string, lines: readonly string[]): RecipeError {
  return new RecipeError(lines.join('\n'), { details: { file, problems: lines.length } })
}

/** Fills in the preset of `kun`, and expands short forms: `files: a` → `files: [a]`, `run: a` → with its files, `replies: discard` → `replies: { keep: false }`. */
function withLongForms(value: unknown): unknown {
  if (!isRecord(value)) return value
  const { sources, replies, kun } = value
  return {
    ...value,
    ...(Array.isArray(sources) && { sources: sources.map(withFileList) }),
    ...(isRecord(kun) && { kun: withPreset(kun) }),
    ...((replies === 'discard' || replies === 'keep') && { replies: { keep: replies === 'keep' } }),
  }
}

/** Parts that a source reads of an earlier run by default: its rows. */
const runFiles = ['data/*.parquet']

function withFileList(source: unknown): unknown {
  if (!isRecord(source)) return source
  if (typeof source.files === 'string') return { ...source, files: [source.files] }
  return source.run !== undefined && source.files === undefined ? { ...source, files: runFiles } : source
}

/**
 * Converts '64MiB' and '30s' to numbers where the schema has a number with that unit, and removes a null of an optional
 * field (`score:` without a value). Anything else is left to validation.
 */
function withNumbers(value: unknown, schema: Parameters<typeof childOf>[0]): unknown {
  const convert = (inner: unknown, key: PropertyKey) => {
    const child = childOf(schema, key)
    if (child === null) return inner
    if (typeof inner !== 'string') return withNumbers(inner, child)
    const unit = unitOf(String(key), child)
    return (unit === null ? null : parseUnit(inner, unit)) ?? inner
  }
  if (Array.isArray(value)) return value.map((inner, index) => convert(inner, index))
  if (!isRecord(value)) return value
  const given = Object.entries(value).filter(([key, inner]) => inner !== null || !isOptional(childOf(schema, key)))
  return Object.fromEntries(given.map(([key, inner]) => [key, convert(inner, key)]))
}

function isOptional(schema: ReturnType<typeof childOf>): boolean {
  return schema !== null && unwrap(schema).optional
}

/** Fills in defaults that depend on another field. */
function withDependentDefaults(recipe: Recipe, given: unknown): Recipe {
  const models = Object.fromEntries(
    Object.entries(recipe.models).map(([name, model]) => [name, { ...model, model: model.model ?? builtinModel }]),
  )
  const { kun, output } = recipe
  const codec = output.codec ?? (output.encoder === 'hyparquet-writer' ? 'zstd' : 'gzip')
  const labelModel = models[kun.label.model]?.model ?? ''
  const label = isRecord(given) && isRecord(given.kun) ? given.kun.label : undefined
  const promptGiven = isRecord(label) && label.prompt !== undefined
  const prompt = promptGiven || !/Kun-LabelModel/i.test(labelModel) ? kun.label.prompt : 'label-kun'
  return { ...recipe, models, kun: { ...kun, label: { ...kun.label, prompt } }, output: { ...output, codec } }
}
