/** Context of a request: headers, credentials for @huggingface/hub, and facts for error messages. */
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

/** Returns the Authorization header; none without a token. */
export function authorization({ token }: HubSettings): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` }
}

/** Returns credentials for @huggingface/hub, which accepts only tokens that begin with hf_. */
export function credentials({ token }: HubSettings): { accessToken?: string } {
  return token === undefined ? {} : { accessToken: token.startsWith('hf_') ? token : clientToken }
}
