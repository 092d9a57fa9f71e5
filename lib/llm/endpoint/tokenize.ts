/** Counts the tokens of a text by the tokenizer of its server: `/tokenize` of vLLM and SGLang, or that of llama-server. */
import type { Client } from '../protocol/client.js'
import { parsedJson } from '../protocol/json.js'

/** Bodies of the request, without the marks at the beginning of a text: they are no part of a chunk. */
const forms: readonly ((model: string, text: string) => Readonly<Record<string, unknown>>)[] = [
  (model, prompt) => ({ model, prompt, add_special_tokens: false }),
  (_, content) => ({ content, add_special: false }),
]

/**
 * Returns the number of tokens; null if the server does not count them. A count of 0 is that of a form that the server
 * does not know.
 *
 * @param text not empty
 * @throws {ServerError} there is no response
 */
export async function countTokens(
  client: Client,
  headers: Readonly<Record<string, string>>,
  model: string,
  text: string,
  signal: AbortSignal,
): Promise<number | null> {
  for (const form of forms) {
    const { status, text: replied } = await client.fetch('/tokenize', { headers, signal, body: form(model, text) })
    if (status !== 200) continue
    const { count, tokens } = parsedJson(replied)
    const found = typeof count === 'number' ? count : Array.isArray(tokens) ? tokens.length : 0
    if (Number.isInteger(found) && found > 0) return found
  }
  return null
}
