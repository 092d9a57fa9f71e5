/** Reads JSON from a server: replaces a value that should be an object and is not by an empty one. */
import { isRecord } from '../../core/objects.js'

/** A JSON object whose fields are not validated yet. */
export type Json = Readonly<Record<string, unknown>>

/** Returns the value if it is an object; an empty one otherwise. */
export function asObject(value: unknown): Json {
  return isRecord(value) ? value : {}
}

/** Returns the objects of a list, others as empty ones; an empty list if it is not one. */
export function asList(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(asObject) : []
}

/** Parses a text as an object; empty if it is not one, such as a page of HTML. */
export function parsedJson(text: string): Json {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return {}
  }
}

/**
 * Parses JSON as servers write it: skips a byte order mark, and reads `NaN` and `Infinity`, which Python writes
 * although JSON does not have them, as null.
 *
 * @throws {SyntaxError} it is not JSON
 */
export function parseServerJson(text: string): unknown {
  const json = text.startsWith('\ufeff') ? text.slice(1) : text
  try {
    return JSON.parse(json)
  } catch (error) {
    if (!/NaN|Infinity/.test(json)) throw error
    return JSON.parse(withNulls(json))
  }
}

/** Replaces every number that JSON does not have by null, outside of strings. Linear in the text's length. */
function withNulls(json: string): string {
  const kept: string[] = []
  let start = 0
  for (let i = 0; i < json.length; i++) {
    const character = json[i]
    if (character === '"') {
      while (++i < json.length && json[i] !== '"') if (json[i] === '\\') i++
    } else if (character === 'N' || character === 'I') {
      const word = character === 'N' ? 'NaN' : 'Infinity'
      if (!json.startsWith(word, i)) continue
      kept.push(json.slice(start, json[i - 1] === '-' ? i - 1 : i), 'null')
      start = i + word.length
      i = start - 1
    }
  }
  return kept.join('') + json.slice(start)
}

/** Formats a value as JSON for people, or returns a note if it is nested too deeply. */
export function shownJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'nothing'
  } catch {
    return '(nested too deeply to be shown)'
  }
}
