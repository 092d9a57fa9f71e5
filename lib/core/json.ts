/** Reads JSON where a text that is not JSON is an answer, not a failure. */

/** Returns the value of a text, or undefined, which no JSON text has, if it is not valid JSON. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
