/** One request to the Hub and its answer, as the transport, shards and uploads say it. */
import type { Dispatcher } from 'undici'
import type { RequestBody } from './body.js'

export interface HubRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly signal?: AbortSignal | undefined
  /** Once aborted, no further try begins; one that is under way is waited for. */
  readonly ending?: AbortSignal | undefined
  /** Called with the bytes sent of this body so far. */
  readonly onSent?: ((bytes: number) => void) | undefined
  /** False when a request whose answer was lost must not be sent again. */
  readonly repeatable?: boolean
  /** By default redirects are followed, 5 at most; the token goes to the Hub's own host only. */
  readonly redirect?: 'follow' | 'manual'
  /** One try only: the caller decides. */
  readonly once?: boolean
}

export interface HubResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Dispatcher.ResponseData['body']
  readonly url: string
}

/** An address for messages: without user, password, query and fragment, which may hold a token or a signature. */
export function plain(url: string): string {
  return (url.split(/[?#]/)[0] as string).replace(/^(\w+:\/\/)[^/]*@/, '$1')
}
