/** Access control of the simulated Hub: tokens with roles, private and gated repositories, requests per window. */
import type { IncomingMessage } from 'node:http'
import type { StoredRepo } from './store.js'

export interface HubToken {
  readonly name: string
  readonly role: 'read' | 'write'
  /** Organisations that the user may write to, besides the own namespace. */
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

  user(request: IncomingMessage): HubToken | null {
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (given === undefined) return null
    const known = this.#tokens !== undefined && Object.hasOwn(this.#tokens, given) ? this.#tokens[given] : undefined
    if (known !== undefined) return known
    if (this.#tokens === undefined && given.startsWith('hf_')) return { name: 'me', role: 'write' }
    throw new HubRefusal(401, 'Invalid credentials in Authorization header')
  }

  mustRead(user: HubToken | null, repo: StoredRepo | undefined): StoredRepo {
    if (repo === undefined || (repo.private && !this.#owns(user, repo.id))) {
      throw new HubRefusal(user === null ? 401 : 404, 'Repository not found', 'RepoNotFound')
    }
    return repo
  }

  /** The listing of a gated repository is public, its content is not. */
  mustReadContent(user: HubToken | null, repo: StoredRepo): void {
    if (repo.gated === false || this.#owns(user, repo.id)) return
    if (user !== null && repo.granted.includes(user.name)) return
    const message = `Access to dataset ${repo.id} is restricted. You must have access to it and be authenticated to access it.`
    throw new HubRefusal(user === null ? 401 : 403, message, 'GatedRepo')
  }

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

/** Counts requests in fixed windows, as the Hub does: `"api";r=left;t=seconds to the next window`. */
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

  /** Counts one request and returns the headers of its response. @throws {HubRefusal} 429: no request is left */
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

export function rateHeaders(name: string, left: number, seconds: number, window: RateWindow): Record<string, string> {
  return {
    RateLimit: `"${name}";r=${left};t=${seconds}`,
    'RateLimit-Policy': `"fixed window";"${name}";q=${window.requestsMax};w=${Math.round(window.windowMs / 1000)}`,
  }
}

export function tooManyRequests(headers: Record<string, string>): HubRefusal {
  return new HubRefusal(429, 'We had to rate limit you. To get higher limits, log in or upgrade.', undefined, headers)
}
