/** Converts error responses of the Hub to errors with advice. Decides on status and X-Error-Code, never on text. */
import { processSecrets } from '../core/redaction.js'
import { HubAccessError, HubUnavailableError, KunStreamError } from '../errors.js'
import { say } from '../language/say.js'
import { hubUrlDefault } from './settings.js'

interface HubErrorResponse {
  readonly status: number
  /** X-Error-Code: RepoNotFound, RevisionNotFound, EntryNotFound, GatedRepo. */
  readonly errorCode?: string | undefined
  readonly message: string
}

/** Facts about a request for its error message. */
export interface HubRequestContext {
  readonly repo: string
  readonly url: string
  readonly revision?: string | undefined
  readonly tokenFrom?: string | undefined
  readonly hasToken: boolean
  /** Why a token that was found is not sent; null if it is sent. */
  readonly tokenWithheld?: string | null
  readonly writes?: boolean
  /** File content is uploaded: a 403 then usually means that the storage quota is exceeded. */
  readonly uploads?: boolean
}

/** Converts an error of @huggingface/hub; returns any other error unchanged. */
export function hubErrorOf(error: unknown, context: HubRequestContext): unknown {
  if (error instanceof KunStreamError || !(error instanceof Error) || !('statusCode' in error)) return error
  const { statusCode, data } = error as { statusCode: number; data?: { error?: string; errorCode?: string } }
  const response = { status: statusCode, errorCode: data?.errorCode, message: data?.error ?? error.message }
  return hubResponseError(response, context, error)
}

/** Returns the error for an error response; it is retryable for 429 and 5xx. */
export function hubResponseError(
  response: HubErrorResponse,
  context: HubRequestContext,
  cause?: unknown,
): KunStreamError {
  const { status, errorCode } = response
  const message = processSecrets.words(response.message)
  const details = { status, errorCode: errorCode ?? null, repo: context.repo }
  if (status === 429 || status >= 500) {
    return new HubUnavailableError(
      say`the Hub returned ${status} for ${context.repo}: ${message}. Run the same command again: it resumes`,
      { cause, details },
    )
  }
  return new HubAccessError(say`${adviceFor(response, context)} (the Hub: ${status} ${message})`, { cause, details })
}

function adviceFor({ status, errorCode }: HubErrorResponse, context: HubRequestContext): string {
  const { repo, url, revision, tokenFrom = 'HF_TOKEN', hasToken, writes = false, uploads = false } = context
  const withheld = context.tokenWithheld ? ` (the one from ${tokenFrom} is not sent: ${context.tokenWithheld})` : ''
  const page = `${url}/datasets/${repo}`
  const settings = url === hubUrlDefault ? `${url}/settings/tokens` : url
  if (errorCode === 'GatedRepo') {
    const then = hasToken ? '' : ', then export HF_TOKEN=hf_… of the same account'
    return `the dataset ${repo} is gated: request access on ${page}${then}`
  }
  if (errorCode === 'RevisionNotFound') {
    return `the dataset ${repo} has no revision ${revision ?? 'main'}: see ${page}/branches, or create the branch first`
  }
  if (errorCode === 'RepoNotFound' || (status === 404 && errorCode !== 'EntryNotFound')) {
    const token = hasToken
      ? `the token from ${tokenFrom} cannot see it`
      : `no token was given${withheld}: export HF_TOKEN=hf_… if it is private`
    return `there is no dataset ${repo} at ${url}, or it is private and ${token}. Check owner/name`
  }
  if (status === 401) {
    return hasToken
      ? `the Hub does not know the token from ${tokenFrom}: it may have been revoked; create a new one on ${settings}`
      : `the Hub requires a token${withheld}: export HF_TOKEN=hf_… from ${settings}`
  }
  if (status === 403 && uploads) {
    return `the Hub refuses to store more for ${repo}: the storage quota of its owner is exceeded, or the token from ${tokenFrom} lacks the role "write" there. Nothing was committed. Delete data or buy storage (${hubUrlDefault}/settings/billing), then publish again`
  }
  if (status === 403 && writes) {
    return `the Hub refuses to write to ${repo} with the token from ${tokenFrom}: it needs the role "write" for that owner (${settings})`
  }
  if (status === 403) return `the token from ${tokenFrom} has no access to ${repo}: ask its owner`
  return `the Hub refused a request for ${repo}`
}
