/** What of a recipe determines the bytes of the output, and how two recipes differ in it. */
import { promptVersion, templateOf } from '../kun/prompts.js'
import { isRecord, type Path, pathText } from './document.js'
import { type Recipe, recipeOptions } from './schema.js'
import { childOf, unwrap } from './schema-tree.js'

/**
 * The part of a recipe that run.json pins: every field but those whose schema says that they do not alter the output,
 * and the versions of its templates, as `promptVersions`. JSON-safe, keys in order of code unit, no secret, no endpoint.
 */
export function pinnedRecipe(recipe: Recipe): Readonly<Record<string, unknown>> {
  const promptVersions = Object.entries(recipe.kun).flatMap(([stage, options]) =>
    options === undefined ? [] : [[stage, promptVersion(templateOf(options.prompt))]],
  )
  return pinned({ ...recipe, promptVersions: Object.fromEntries(promptVersions) }, recipeOptions) as Record<
    string,
    unknown
  >
}

export interface RecipeDifference {
  /** As in a recipe: 'kun.score.keepAtLeast', 'sources[1].split'. */
  readonly path: string
  /** undefined where that side has no such field. */
  readonly before: unknown
  readonly after: unknown
}

/** Where two pinned recipes differ, field by field, in order of path; empty when the output would be the same. */
export function recipeDifference(before: unknown, after: unknown, path: Path = []): RecipeDifference[] {
  const bothMaps = isRecord(before) && isRecord(after)
  const bothLists = Array.isArray(before) && Array.isArray(after)
  if (!bothMaps && !bothLists) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path: pathText(path), before, after }]
  }
  const keys = bothLists
    ? Array.from({ length: Math.max(before.length, after.length) }, (_, index) => index)
    : [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  const at = (side: object, key: PropertyKey) =>
    Object.hasOwn(side, key) ? (side as Record<PropertyKey, unknown>)[key] : undefined
  return keys.flatMap((key) => recipeDifference(at(before, key), at(after, key), [...path, key]))
}

function pinned(value: unknown, schema: Parameters<typeof childOf>[0] | null): unknown {
  if (Array.isArray(value)) return value.map((inner, index) => pinned(inner, below(schema, index)))
  if (!isRecord(value)) return value
  const kept = Object.keys(value)
    .sort()
    .filter((key) => value[key] !== undefined && altersOutput(below(schema, key)))
    .map((key) => [key, pinned(value[key], below(schema, key))] as const)
    // A section of which nothing is pinned is not worth a name; a map that was empty says so.
    .filter(([key, inner]) => !isEmptyMap(inner) || isEmptyMap(value[key]))
  return Object.fromEntries(kept)
}

function isEmptyMap(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length === 0
}

function below(schema: Parameters<typeof childOf>[0] | null, key: PropertyKey) {
  return schema === null ? null : childOf(schema, key)
}

/** What nothing is known of, such as a sampling field, is pinned. */
function altersOutput(schema: Parameters<typeof childOf>[0] | null): boolean {
  return schema === null || unwrap(schema).meta.altersOutput !== false
}
