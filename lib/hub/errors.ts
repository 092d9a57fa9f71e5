/** What the Hub refused, as errors that say what to do. Decides on status and X-Error-Code, never on words. */
import { processSecrets } from '../core/redaction.js'
import { HubAccessError, HubUnavailableError, KunStreamError } from '../errors.js'
import { hubUrlDefault } from './settings.js'

export interface HubRefused {
  readonly status: number
  /** X-Error-Code: RepoNotFound, RevisionNotFound, EntryNotFound, GatedRepo. */
  readonly errorCode?: string | undefined
  /** What the Hub said. */
  readonly message: string
}

export interface HubRequestContext {
  readonly repo: string
  readonly url: string
  readonly revision?: string | undefined
  readonly tokenFrom?: string | undefined
  readonly hasToken: boolean
  /** Why a token that was found is not sent. */
  readonly tokenWithheld?: string | null
  readonly writes?: boolean
  /** Contents of files are sent: what is refused then is most often for want of room. */
  readonly uploads?: boolean
}

/** The Hub client's error as one of ours; anything else comes back as it is. */
export function hubProblem(error: unknown, context: HubRequestContext): unknown {
  if (error instanceof KunStreamError || !(error instanceof Error) || !('statusCode' in error)) return error
  const { statusCode, data } = error as { statusCode: number; data?: { error?: string; errorCode?: string } }
  const refused = { status: statusCode, errorCode: data?.errorCode, message: data?.error ?? error.message }
  return hubRefusal(refused, context, error)
}

export function hubRefusal(refused: HubRefused, context: HubRequestContext, cause?: unknown): KunStreamError {
  const { status, errorCode } = refused
  const message = processSecrets.words(refused.message)
  const details = { status, errorCode: errorCode ?? null, repo: context.repo }
  if (status === 429 || status >= 500) {
    return new HubUnavailableError(
      `The Hub answered ${status} for ${context.repo}: ${message}. Run the same command again: it goes on from here`,
      { cause, details },
    )
  }
  return new HubAccessError(`${explain(refused, context)} (the Hub: ${status} ${message})`, { cause, details })
}

function explain({ status, errorCode }: HubRefused, context: HubRequestContext): string {
  const { repo, url, revision, tokenFrom = 'HF_TOKEN', hasToken, writes = false, uploads = false } = context
  const withheld = context.tokenWithheld ? ` (the one from ${tokenFrom} is not sent: ${context.tokenWithheld})` : ''
  const page = `${url}/datasets/${repo}`
  const settings = url === hubUrlDefault ? `${url}/settings/tokens` : url
  if (errorCode === 'GatedRepo') {
    const then = hasToken ? '' : ', then export HF_TOKEN=hf_… of that account'
    return `The dataset ${repo} is gated: ask for access on ${page}${then}`
  }
  if (errorCode === 'RevisionNotFound') {
    return `The dataset ${repo} has no revision ${revision ?? 'main'}: see ${page}/branches, or make the branch first`
  }
  if (errorCode === 'RepoNotFound' || (status === 404 && errorCode !== 'EntryNotFound')) {
    const token = hasToken
      ? `the token from ${tokenFrom} cannot see it`
      : `no token was given${withheld}: export HF_TOKEN=hf_… if it is private`
    return `There is no dataset ${repo} at ${url}, or it is private and ${token}. Check owner/name`
  }
  if (status === 401) {
    return hasToken
      ? `The Hub does not know the token from ${tokenFrom}: it may have been revoked; make a new one on ${settings}`
      : `The Hub wants a token${withheld}: export HF_TOKEN=hf_… from ${settings}`
  }
  if (status === 403 && uploads) {
    return `The Hub refuses to store more for ${repo}: the storage quota of its owner is used up, or the token from ${tokenFrom} lacks the role "write" there. Nothing was committed. Make room or buy some (${hubUrlDefault}/settings/billing), then publish again`
  }
  if (status === 403 && writes) {
    return `The Hub refuses to write to ${repo} with the token from ${tokenFrom}: it needs the role "write" for that owner (${settings})`
  }
  if (status === 403) return `The token from ${tokenFrom} may not read ${repo}: ask its owner`
  return `The Hub refuses what was asked of ${repo}`
}
