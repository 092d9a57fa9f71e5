/**
 * From a file and `--set` overrides to a recipe that can be run: read, units turned into numbers, checked, filled in.
 * Whether files, endpoints and repositories exist is found out by those who use them.
 */
import { RecipeError } from '../errors.js'
import { parsed } from './byte-units.js'
import { misfits } from './cross-checks.js'
import { isRecord, type Path, pathText, recipeDocument } from './document.js'
import { issueLines } from './issues.js'
import { readRecipeText } from './read-text.js'
import { builtinModel, type Recipe, recipeOptions } from './schema.js'
import { childOf, unitOf, unwrap } from './schema-tree.js'

/**
 * The recipe in a YAML file; `-` is standard input.
 *
 * @param overrides `path=value`, applied in order; the value is YAML
 * @throws {RecipeError} with a line for everything that is wrong: where, the path, what was found, what is allowed
 * @throws {UsageError} an override is not `path=value`
 */
export async function loadRecipe(path: string, overrides: readonly string[] = []): Promise<Recipe> {
  return parseRecipe(await readRecipeText(path), path === '-' ? 'standard input' : path, overrides)
}

/** The recipe in a text; `file` is what messages call it. */
export function parseRecipe(text: string, file: string, overrides: readonly string[] = []): Recipe {
  const document = recipeDocument(text, file, overrides)
  const nuls = pathsWithNul(document.value)
  if (nuls.length > 0) {
    throw refused(
      file,
      nuls.map((path) => `${document.locate(path)} ${pathText(path)}: contains a NUL character (\\0); remove it`),
    )
  }
  const value = withNumbers(withLongForms(document.value), recipeOptions)
  const result = recipeOptions.safeParse(value)
  if (!result.success) throw refused(file, issueLines(recipeOptions, result.error.issues, { ...document, value }))
  const found = misfits(result.data)
  if (found.length > 0) {
    throw refused(
      file,
      found.map(({ path, message }) => `${document.locate(path)} ${pathText(path)}: ${message}`),
    )
  }
  return filled(result.data, value)
}

/** Parts of a request that go to a model server as they are; elsewhere a NUL would end in a path or a header. */
const sentAsTheyAre: ReadonlySet<string> = new Set(['extraBody', 'chatTemplateKwargs'])

/** Paths of strings and keys with a NUL. */
function pathsWithNul(value: unknown, path: Path = []): Path[] {
  if (typeof value === 'string') return value.includes('\0') ? [path] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    if (sentAsTheyAre.has(key)) return []
    const below = [...path, Array.isArray(value) ? Number(key) : key]
    return key.includes('\0') ? [below] : pathsWithNul(inner, below)
  })
}

function refused(file: string, lines: readonly string[]): RecipeError {
  return new RecipeError(lines.join('\n'), { details: { file, problems: lines.length } })
}

/** `files: a` → `files: [a]`, `replies: discard` → `replies: { keep: false }`. */
function withLongForms(value: unknown): unknown {
  if (!isRecord(value)) return value
  const { sources, replies } = value
  return {
    ...value,
    ...(Array.isArray(sources) && { sources: sources.map(withFileList) }),
    ...((replies === 'discard' || replies === 'keep') && { replies: { keep: replies === 'keep' } }),
  }
}

function withFileList(source: unknown): unknown {
  return isRecord(source) && typeof source.files === 'string' ? { ...source, files: [source.files] } : source
}

/**
 * Turns '64MiB' and '30s' into numbers where the schema has a number of that unit, and takes out a null where the
 * field may be left out (`score:` with nothing after it); leaves all else to the check.
 */
function withNumbers(value: unknown, schema: Parameters<typeof childOf>[0]): unknown {
  const convert = (inner: unknown, key: PropertyKey) => {
    const child = childOf(schema, key)
    if (child === null) return inner
    if (typeof inner !== 'string') return withNumbers(inner, child)
    const unit = unitOf(String(key), child)
    return (unit === null ? null : parsed(inner, unit)) ?? inner
  }
  if (Array.isArray(value)) return value.map((inner, index) => convert(inner, index))
  if (!isRecord(value)) return value
  const given = Object.entries(value).filter(([key, inner]) => inner !== null || !mayBeLeftOut(childOf(schema, key)))
  return Object.fromEntries(given.map(([key, inner]) => [key, convert(inner, key)]))
}

function mayBeLeftOut(schema: ReturnType<typeof childOf>): boolean {
  return schema !== null && unwrap(schema).optional
}

/** Defaults that depend on another field. */
function filled(recipe: Recipe, given: unknown): Recipe {
  const models = Object.fromEntries(
    Object.entries(recipe.models).map(([name, model]) => [name, { ...model, model: model.model ?? builtinModel }]),
  )
  const { kun, output } = recipe
  const codec = output.codec ?? (output.encoder === 'hyparquet-writer' ? 'zstd' : 'gzip')
  const labelModel = models[kun.label.model]?.model ?? ''
  const promptGiven = (given as { kun: { label: { prompt?: unknown } } }).kun.label.prompt !== undefined
  const prompt = promptGiven || !/Kun-LabelModel/i.test(labelModel) ? kun.label.prompt : 'label-kun'
  return { ...recipe, models, kun: { ...kun, label: { ...kun.label, prompt } }, output: { ...output, codec } }
}
