/**
 * From a file and `--set` overrides to a recipe that can be run: read, units turned into numbers, checked, filled in.
 * Whether files, endpoints and repositories exist is found out by those who use them.
 */
import { readFile } from 'node:fs/promises'
import { text as readText } from 'node:stream/consumers'
import { RecipeError } from '../errors.js'
import { isRecord, pathText, recipeDocument } from './document.js'
import { issueLines } from './issues.js'
import { builtinModel, type Recipe, recipeOptions } from './schema.js'
import { childOf, unitOf, unwrap } from './schema-tree.js'
import { misfits } from './semantic.js'
import { parsed } from './units.js'

/**
 * The recipe in a YAML file; `-` is standard input.
 *
 * @param overrides `path=value`, applied in order; the value is YAML
 * @throws {RecipeError} with a line for everything that is wrong: where, the path, what was found, what is allowed
 * @throws {UsageError} an override is not `path=value`
 */
export async function loadRecipe(path: string, overrides: readonly string[] = []): Promise<Recipe> {
  let text: string
  try {
    text = path === '-' ? await readText(process.stdin) : await readFile(path, 'utf8')
  } catch (cause) {
    const why = refusals[(cause as NodeJS.ErrnoException).code ?? ''] ?? (cause as Error).message
    throw new RecipeError(`${path} cannot be read: ${why}. Give the path of a recipe, as recipes/demo.yaml`, { cause })
  }
  return parseRecipe(text, path === '-' ? 'standard input' : path, overrides)
}

const refusals: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
}

/** The recipe in a text; `file` is what messages call it. */
export function parseRecipe(text: string, file: string, overrides: readonly string[] = []): Recipe {
  const document = recipeDocument(text, file, overrides)
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
