/** Types of a request to the Hub and its response, for the transport. */
import type { Dispatcher } from 'undici'
import type { RequestBody } from '../http/request-body.js'

export interface HubRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestBody
  readonly signal?: AbortSignal | undefined
  /** Once aborted, no further try is started; a try in progress is completed. */
  readonly ending?: AbortSignal | undefined
  /** Called with the number of bytes of the body sent so far. */
  readonly onSent?: ((bytes: number) => void) | undefined
  /** False if the request must not be sent again after its response was lost. */
  readonly repeatable?: boolean
  /** `follow` by default, up to 5 redirects; the token is sent to the Hub's own host only. */
  readonly redirect?: 'follow' | 'manual'
  /** No retries: the caller decides. */
  readonly once?: boolean
}

export interface HubResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Dispatcher.ResponseData['body']
  readonly url: string
}

/** Returns a URL for messages: without user, password, query and fragment, which may hold a token or a signature. */
export function shownUrl(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/^(\w+:\/\/)[^/]*@/, '$1')
}
