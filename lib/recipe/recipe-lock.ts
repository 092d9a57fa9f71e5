/**
 * What run.json keeps of a recipe: the part that determines the bytes of the output, with the differences between two such
 * parts, and the recipe as a whole without secrets.
 */
import { isRecord } from '../core/objects.js'
import { promptVersions } from '../kun/planned-stages.js'
import { type Path, pathText } from './document.js'
import { type Recipe, recipeOptions } from './schema.js'
import { childOf, unwrap } from './schema-tree.js'

/**
 * Returns the part of a recipe that run.json pins: all fields except those marked `altersOutput: false`, and the versions
 * of its templates as `promptVersions`. JSON-safe, keys ordered by code unit, without secrets and endpoints.
 */
export function pinnedRecipe(recipe: Recipe): Readonly<Record<string, unknown>> {
  return pinned({ ...recipe, promptVersions: promptVersions(recipe.kun) }, recipeOptions) as Record<string, unknown>
}

export interface RecipeDifference {
  /** Examples: 'kun.score.keepAtLeast', 'sources[1].split'. */
  readonly path: string
  /** undefined if that side does not have the field. */
  readonly before: unknown
  readonly after: unknown
}

/** Returns the fields in which two pinned recipes differ, ordered by path; empty if both give the same output. */
export function recipeDifference(before: unknown, after: unknown, path: Path = []): RecipeDifference[] {
  const bothMaps = isRecord(before) && isRecord(after)
  const bothLists = Array.isArray(before) && Array.isArray(after)
  if (!bothMaps && !bothLists) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path: pathText(path), before, after }]
  }
  const keys = bothLists
    ? Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index)
    : [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  const at = (side: object, key: PropertyKey): unknown => Object.getOwnPropertyDescriptor(side, key)?.value
  return keys.flatMap((key) => recipeDifference(at(before, key), at(after, key), [...path, key]))
}

function pinned(value: unknown, schema: Parameters<typeof childOf>[0] | null): unknown {
  if (Array.isArray(value)) return value.map((inner, index) => pinned(inner, below(schema, index)))
  if (!isRecord(value)) return value
  const kept = Object.keys(value)
    .sort()
    .filter((key) => value[key] !== undefined && altersOutput(below(schema, key)))
    .map((key) => [key, pinned(value[key], below(schema, key))] as const)
    // A section without pinned fields is dropped; a map that was empty is kept.
    .filter(([key, inner]) => !isEmptyMap(inner) || isEmptyMap(value[key]))
  return Object.fromEntries(kept)
}

function isEmptyMap(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length === 0
}

function below(schema: Parameters<typeof childOf>[0] | null, key: PropertyKey) {
  return schema === null ? null : childOf(schema, key)
}

/** Unknown fields (such as sampling parameters) are pinned by default. */
function altersOutput(schema: Parameters<typeof childOf>[0] | null): boolean {
  return schema === null || unwrap(schema).meta.altersOutput !== false
}

/**
 * Returns the recipe as it is stored in run.json: JSON-safe, and accepted by `parseRecipe`. Literal headers and the user,
 * password and query of a URL may be secrets: they are dropped; `--set` sets them again.
 */
export function storedRecipe(recipe: Recipe): Readonly<Record<string, unknown>> {
  const models = Object.entries(recipe.models).map(([name, model]) => [
    name,
    {
      ...model,
      endpoints: 'file' in model.endpoints ? model.endpoints : model.endpoints.map(withoutPassword),
      headers: Object.fromEntries(Object.entries(model.headers).filter(([, value]) => value.startsWith('env:'))),
    },
  ])
  // An unset limit is Infinity, which JSON cannot represent.
  return JSON.parse(
    JSON.stringify({ ...recipe, models: Object.fromEntries(models) }, (_, value) =>
      value === Number.POSITIVE_INFINITY ? undefined : value,
    ),
  )
}

function withoutPassword(endpoint: string): string {
  if (!URL.canParse(endpoint)) return endpoint
  const url = new URL(endpoint)
  if (url.username === '' && url.password === '' && url.search === '') return endpoint
  url.username = ''
  url.password = ''
  url.search = ''
  return url.href
}
