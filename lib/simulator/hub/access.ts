/** Access control of the simulated Hub: tokens with roles, private and gated repositories, requests per window. */
import type { IncomingMessage } from 'node:http'
import type { StoredRepo } from './store.js'

export interface HubToken {
  readonly name: string
  readonly role: 'read' | 'write'
  /** Organisations that the user may write to, besides the user's own namespace. */
  readonly organizations?: readonly string[]
}

/** An error response, with the Hub's X-Error-Code if there is one. */
export class HubRefusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly errorCode?: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
  }
}

export class HubAccess {
  readonly #tokens: Readonly<Record<string, HubToken>> | undefined

  /** Without `tokens`, every token that begins with hf_ belongs to the user `me` and may write anywhere. */
  constructor(tokens: Readonly<Record<string, HubToken>> | undefined) {
    this.#tokens = tokens
  }

  /** Returns the token of a request; null if it has none. @throws {HubRefusal} 401: unknown token */
  user(request: IncomingMessage): HubToken | null {
    const secret = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (secret === undefined) return null
    const token = this.#tokens !== undefined && Object.hasOwn(this.#tokens, secret) ? this.#tokens[secret] : undefined
    if (token !== undefined) return token
    if (this.#tokens === undefined && secret.startsWith('hf_')) return { name: 'me', role: 'write' }
    throw new HubRefusal(401, 'Invalid credentials in Authorization header')
  }

  /** Returns the repository. @throws {HubRefusal} 401 or 404: it does not exist, or is private to others */
  mustRead(user: HubToken | null, repo: StoredRepo | undefined): StoredRepo {
    if (repo === undefined || (repo.private && !this.#owns(user, repo.id))) {
      throw new HubRefusal(user === null ? 401 : 404, 'Repository not found', 'RepoNotFound')
    }
    return repo
  }

  /** Checks access to content: the listing of a gated repository is public. @throws {HubRefusal} 401, 403: no access */
  mustReadContent(user: HubToken | null, repo: StoredRepo): void {
    if (repo.gated === false || this.#owns(user, repo.id)) return
    if (user !== null && repo.granted.includes(user.name)) return
    const message = `Access to dataset ${repo.id} is restricted. You must have access to it and be authenticated to access it.`
    throw new HubRefusal(user === null ? 401 : 403, message, 'GatedRepo')
  }

  /** @throws {HubRefusal} 401 without a token; 403 for a read token, or another namespace */
  mustWrite(user: HubToken | null, id: string): void {
    if (user === null) throw new HubRefusal(401, 'Invalid username or password.')
    if (user.role !== 'write') {
      throw new HubRefusal(403, `Forbidden: you must use a write token to write to this repository.`)
    }
    if (this.#tokens !== undefined && !this.#owns(user, id)) {
      throw new HubRefusal(403, `Forbidden: you don't have the rights to write to the namespace of ${id}.`)
    }
  }

  #owns(user: HubToken | null, id: string): boolean {
    if (user === null) return false
    const namespace = id.slice(0, id.indexOf('/'))
    return this.#tokens === undefined || user.name === namespace || (user.organizations ?? []).includes(namespace)
  }
}

export interface RateWindow {
  readonly requestsMax: number
  readonly windowMs: number
}

/** Limits requests in fixed windows, and reports what is left in the Hub's RateLimit headers. */
export class RateCounter {
  #windowStart = 0
  #used = 0
  readonly #name: string
  readonly #window: RateWindow
  readonly #now: () => number

  constructor(name: string, window: RateWindow, now: () => number) {
    this.#name = name
    this.#window = window
    this.#now = now
  }

  /** Counts one request and returns the headers of its response. @throws {HubRefusal} 429: the window is used up */
  take(): Record<string, string> {
    const now = this.#now()
    if (now - this.#windowStart >= this.#window.windowMs) {
      this.#windowStart = now
      this.#used = 0
    }
    this.#used++
    const left = Math.max(0, this.#window.requestsMax - this.#used)
    const seconds = Math.ceil((this.#windowStart + this.#window.windowMs - now) / 1000)
    const headers = rateHeaders(this.#name, left, seconds, this.#window)
    if (this.#used > this.#window.requestsMax) throw tooManyRequests(headers)
    return headers
  }
}

/** Example: `RateLimit: "api";r=2;t=55`, with 2 requests left in the 55 seconds until the next window. */
export function rateHeaders(name: string, left: number, seconds: number, window: RateWindow): Record<string, string> {
  return {
    RateLimit: `"${name}";r=${left};t=${seconds}`,
    'RateLimit-Policy': `"fixed window";"${name}";q=${window.requestsMax};w=${Math.round(window.windowMs / 1000)}`,
  }
}

export function tooManyRequests(headers: Record<string, string>): HubRefusal {
  return new HubRefusal(429, 'We had to rate limit you. To get higher limits, log in or upgrade.', undefined, headers)
}
