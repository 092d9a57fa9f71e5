/**
 * Parses the text of a recipe, applies its overrides, and maps paths of the value to positions in the text. Does not
 * validate the value.
 */

import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parse,
  parseDocument,
  type YAMLMap,
} from 'yaml'
import { errorMessage } from '../caught-error.js'
import { isRecord } from '../core/objects.js'
import { RecipeError, UsageError } from '../errors.js'
import { say } from '../language/say.js'

export type Path = readonly PropertyKey[]

export interface RecipeDocument {
  readonly value: unknown
  /** 'recipe.yaml:12:5', or '--set a.b=…' for a value from the command line. */
  readonly locate: (path: Path, unknownKey?: string) => string
}

/** Limit of resolved aliases: nested aliases can expand exponentially. */
const aliasCountMax = 100

/**
 * Parses YAML and applies `--set` overrides.
 *
 * @throws {RecipeError} the text is not YAML, or not a map
 * @throws {UsageError} an override is not `path=value`
 */
export function recipeDocument(text: string, file: string, overrides: readonly string[]): RecipeDocument {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, merge: true })
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const [error] = document.errors
  if (error !== undefined) throw new RecipeError(say`${place(error.pos[0])} is not YAML: ${error.message}`)
  const root = yamlValue(document, file)
  if (!isRecord(root)) throw new RecipeError(say`${file}:1:1 is not a recipe: found ${kindOf(root)}, allowed is a map`)

  const settings = overrides.map(parseOverride)
  for (const { path, value, text: given } of settings) set(root, path, value, given)
  const locate = (path: Path, unknownKey?: string) => {
    const whole = unknownKey === undefined ? path : [...path, unknownKey]
    // `--set kun.scor.keepAtLeast=1` created kun.scor: an override of a deeper path counts if the text has no such field.
    const above = settings.findLast((each) => isPrefix(each.path, whole))
    const setting = above ?? (document.hasIn(whole) ? undefined : settings.find((each) => isPrefix(whole, each.path)))
    return setting === undefined ? place(offsetOf(document, whole, unknownKey !== undefined)) : `--set ${setting.text}`
  }
  return { value: root, locate }
}

function yamlValue(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: aliasCountMax })
  } catch (cause) {
    throw new RecipeError(say`${file}:1:1 resolves more than ${aliasCountMax} aliases; write the values out`, {
      cause,
    })
  }
}

interface Override {
  readonly path: Path
  readonly value: unknown
  /** The path as the user wrote it, for messages. */
  readonly text: string
}

/** `sources.0.split=crawl`, `sources[0].files=[a,b]`; the value is YAML. */
function parseOverride(text: string): Override {
  const equals = text.indexOf('=')
  const name = text.slice(0, Math.max(0, equals))
  const path = name.replace(/\[(\d+)\]/g, '.$1').split('.')
  if (equals < 0 || path.some((key) => key === '' || key === '__proto__')) {
    throw new UsageError(
      say`--set ${text}: allowed is path=value, such as kun.score.keepAtLeast=0.7 or sources[0].split=crawl`,
    )
  }
  const keys = path.map((key) => (/^\d+$/.test(key) ? Number(key) : key))
  try {
    // The value may be a secret: messages contain the path only.
    return { path: keys, value: parse(text.slice(equals + 1), { merge: true }), text: `${name}=…` }
  } catch (error) {
    throw new UsageError(say`--set ${name}: the value is not YAML: ${errorMessage(error)}`)
  }
}

function set(root: Record<string, unknown>, path: Path, value: unknown, text: string): void {
  let above: Record<PropertyKey, unknown> = root
  for (const [depth, key] of path.slice(0, -1).entries()) {
    if (!Object.hasOwn(above, key)) above[key] = typeof path[depth + 1] === 'number' ? [] : {}
    above[key] ??= typeof path[depth + 1] === 'number' ? [] : {}
    const below = above[key]
    if (typeof below !== 'object' || below === null) {
      throw new UsageError(
        say`--set ${text}: ${pathText(path.slice(0, depth + 1))} is ${kindOf(below)}, which has no fields`,
      )
    }
    above = below as Record<PropertyKey, unknown>
  }
  const last = path.at(-1) as string | number
  if (Array.isArray(above) && (typeof last !== 'number' || last > above.length)) {
    throw new UsageError(
      say`--set ${text}: ${pathText(path.slice(0, -1))} is a list of ${above.length}, numbered from 0`,
    )
  }
  above[last] = value
}

/**
 * Returns the offset of the deepest part of the path that exists in the text. A value from a merge key (`<<`) or an
 * alias is found where it is written.
 *
 * @param ofKey returns the offset of the key, even if the value is a scalar
 */
function offsetOf(document: Document, path: Path, ofKey: boolean): number {
  let node: unknown = document.contents
  let offset = document.contents?.range?.[0] ?? 0
  for (const key of path) {
    node = resolved(node, document)
    if (isMap(node)) {
      const pair = pairOf(node, String(key), document)
      if (pair === undefined) return offset
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else {
      const items: unknown = isNode(node) && 'items' in node ? node.items : undefined
      node = Array.isArray(items) ? items[Number(key)] : undefined
      if (!isNode(node)) return offset
      offset = node.range?.[0] ?? offset
    }
  }
  // The position of a scalar is its own; that of a map, a list or an unknown field is its key.
  return isScalar(node) && !ofKey ? (node.range?.[0] ?? offset) : offset
}

/** Limit of nested merge keys. */
const mergesMax = 16

/** Returns the pair of a key: of the map itself, else of the first merged map that has it. */
function pairOf(map: YAMLMap, key: string, document: Document, merges = 0): Pair | undefined {
  const nameOf = (pair: Pair): string => {
    const name = isScalar(pair.key) ? pair.key.value : pair.key
    // The yaml library parses the key `<<` as a symbol.
    return typeof name === 'symbol' ? (name.description ?? '') : String(name)
  }
  const pairs = map.items.filter(isPair)
  const own = pairs.find((pair) => nameOf(pair) === key)
  if (own !== undefined || merges === mergesMax) return own
  for (const pair of pairs) {
    if (nameOf(pair) !== '<<') continue
    const merged = resolved(pair.value, document)
    for (const each of isSeq(merged) ? merged.items : [merged]) {
      const source = resolved(each, document)
      const found = isMap(source) ? pairOf(source, key, document, merges + 1) : undefined
      if (found !== undefined) return found
    }
  }
  return undefined
}

function resolved(node: unknown, document: Document): unknown {
  return isAlias(node) ? node.resolve(document) : node
}

/** Example: 'sources[0].split'. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`
    return text === '' ? String(key) : `${text}.${String(key)}`
  }, '')
}

export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a map' : `a ${typeof value}`
}

function isPrefix(prefix: Path, path: Path): boolean {
  return prefix.length <= path.length && prefix.every((key, depth) => String(key) === String(path[depth]))
}
