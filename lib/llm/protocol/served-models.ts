/** The models that a server lists: whether it is there, whether its address is right, and what it serves. */
import { ServerError } from '../../errors.js'
import type { Client } from './client.js'
import { contextTokensOf } from './context-tokens.js'
import { asList, parsedJson } from './json.js'
import { serverNameOf } from './server-names.js'

/** What `GET /models` of an endpoint gave. */
export interface ServedModels {
  /** HTTP status; null if nothing was received. */
  readonly status: number | null
  /** Error text where nothing was received. */
  readonly failure: string
  /** Empty if it does not list any. */
  readonly models: readonly { readonly name: string; readonly contextTokensMax: number | null }[]
  /** Software as it names itself, such as 'vllm'. */
  readonly server: string
}

/** Asks once; never throws for a server that is not there. */
export async function servedModels(
  client: Client,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<ServedModels> {
  const none = { version: {}, props: {}, info: {}, modelInfo: {} }
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const { status, text } = await client.fetch('/models', { headers, signal })
    const listed = status === 200 ? asList(parsedJson(text).data) : []
    const models = listed.flatMap((entry) =>
      typeof entry.id === 'string' ? [{ name: entry.id, contextTokensMax: contextTokensOf({ ...none, entry }) }] : [],
    )
    return { status, failure: '', models, server: serverNameOf({ ...none, entry: listed[0] ?? {} }) }
  } catch (error) {
    const failure = error instanceof ServerError ? String(error.details.words ?? error.message) : 'timeout'
    return { status: null, failure, models: [], server: '' }
  }
}
