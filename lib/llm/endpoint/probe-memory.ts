/**
 * Responses to probe requests, kept for a later process: the run after a sample does not send them again. Used only while
 * the server describes itself as it did then, and for a day: what it can do may change with its settings.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Json } from '../protocol/json.js'
import { canonicalJson } from '../protocol/request-identity.js'

/** Age of a response after which it is requested again, ms. */
const ageMaxMs = 24 * 3600 * 1000
/** Responses of one server, and the size of one in UTF-16 units: longer ones are not kept. */
const responsesMax = 256
const textUnitsMax = 65_536

const keptResponse = z.object({ status: z.int(), text: z.string() })
const keptServer = z.object({
  /** How the server described itself. */
  about: z.string(),
  atMs: z.number(),
  responses: z.record(z.string(), keptResponse),
})

/** Contents of the file. */
export const keptProbes = z.object({ servers: z.record(z.string(), keptServer) })

type KeptResponse = z.infer<typeof keptResponse>
type KeptServer = z.infer<typeof keptServer>

/** Responses of all servers, by address. */
export class ProbeMemory {
  readonly #known = new Map<string, KeptServer>()
  readonly #found = new Map<string, KeptServer>()

  /** @param kept what earlier processes kept; a later one takes precedence */
  constructor(kept: readonly z.infer<typeof keptProbes>[] = []) {
    for (const { servers } of kept)
      for (const [label, server] of Object.entries(servers)) this.#known.set(label, server)
  }

  /**
   * Returns the responses of one server.
   *
   * @param about how it describes itself now; null if it does not, and then its responses are not used later
   */
  of(label: string, about: string | null, nowMs: number): ServerMemory {
    const known = this.#known.get(label)
    const isSame = known !== undefined && known.about === about && Math.abs(nowMs - known.atMs) < ageMaxMs
    const own = this.#found.get(label) ?? { about: about ?? '', atMs: isSame ? known.atMs : nowMs, responses: {} }
    if (about !== null) this.#found.set(label, own)
    return new ServerMemory(isSame ? known.responses : {}, own.responses)
  }

  /** Returns what is to be kept: responses that were used or received in this process. */
  kept(): z.infer<typeof keptProbes> {
    return { servers: Object.fromEntries(this.#found) }
  }
}

/** Responses of one server. */
export class ServerMemory {
  readonly #known: Readonly<Record<string, KeptResponse>>
  readonly #found: Record<string, KeptResponse>

  constructor(known: Readonly<Record<string, KeptResponse>>, found: Record<string, KeptResponse>) {
    this.#known = known
    this.#found = found
  }

  find(path: string, body: Json): KeptResponse | null {
    const key = keyOf(path, body)
    const found = Object.hasOwn(this.#known, key) ? (this.#known[key] ?? null) : null
    if (found !== null) this.#found[key] = found
    return found
  }

  keep(path: string, body: Json, response: KeptResponse): void {
    if (response.text.length > textUnitsMax || Object.keys(this.#found).length >= responsesMax) return
    this.#found[keyOf(path, body)] = response
  }
}

function keyOf(path: string, body: Json): string {
  return createHash('sha256')
    .update(`${path} ${canonicalJson(body)}`)
    .digest('hex')
}
