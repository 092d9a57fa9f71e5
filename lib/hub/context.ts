/** Who asks the Hub: headers of a request, options of the client library, and what an error message says of both. */
import type { HubRequestContext } from './errors.js'
import { clientToken, type HubSettings } from './settings.js'

export function contextOf(settings: HubSettings, repo: string, revision?: string): HubRequestContext {
  const { url, token, tokenFrom, tokenWithheld } = settings
  return {
    repo,
    url,
    tokenFrom,
    tokenWithheld,
    hasToken: token !== undefined,
    ...(revision === undefined ? {} : { revision }),
  }
}

export function authorization({ token }: HubSettings): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

/** For the client library, which takes only tokens that begin with hf_. */
export function credentials({ token }: HubSettings): { accessToken?: string } {
  return token === undefined ? {} : { accessToken: token.startsWith('hf_') ? token : clientToken }
}
