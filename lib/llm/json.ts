/** Reads JSON from a server: what is expected to be an object is one, whatever came. */

/** A JSON object whose fields are still to be looked at. */
export type Json = Readonly<Record<string, unknown>>

/** The value if it is an object; an empty one otherwise. */
export function asObject(value: unknown): Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Json) : {}
}

/**
 * Parses JSON as servers write it: a byte order mark before it is skipped, and `NaN` and `Infinity`, which Python
 * writes for numbers that JSON does not have, are read as null.
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

/** With null for every number that JSON does not have; strings are left alone. Linear in the text's length. */
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

/** JSON of a value for people, or a note where it is nested too deeply to be written. */
export function shownJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'nothing'
  } catch {
    return '(nested too deeply to be shown)'
  }
}
