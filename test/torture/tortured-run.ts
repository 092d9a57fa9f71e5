/**
 * One run of a form, killed as planned and then brought to its end, with a server of its own for each leg; its requests
 * are compared with the replies that were readable after each kill.
 */
import { join } from 'node:path'
import { readManifest } from '../../lib/sinks/index.js'
import type { Random } from '../support/random.js'
import { bytesOf } from '../support/session.js'
import { archiveOf, differences } from './differences.js'
import { type Form, type Leg, overrides } from './forms.js'
import { type Plan, planKills, planPhaseKills } from './plans.js'
import { live, readableKeys, readRequests, type ServerProcess, serverProcess, tearManifest } from './processes.js'

/** How long each leg takes and how often it changes a file, when nobody kills it. */
export interface Baseline {
  readonly legs: readonly { readonly lifeMs: number; readonly changes: number }[]
  readonly cuts: number
  readonly bytes: string
}

export interface Circumstances {
  readonly random: Random
  /** At most. */
  readonly kills: number
  /** Which run it is: each begins and ends at other steps. */
  readonly round: number
  /** Of the servers. */
  readonly seed: number
}

export interface RunOutcome {
  readonly places: readonly string[]
  readonly bytes: string
  readonly requests: number
  readonly paidTwice: number
  readonly faults: string[]
}

export async function uninterrupted(directory: string, form: Form, seed: number): Promise<Baseline> {
  const legs: { lifeMs: number; changes: number }[] = []
  let port = 0
  for (const leg of form.legs) {
    const server = await legServer(directory, leg, legs.length, seed, port)
    port = server.port
    try {
      const startedMs = performance.now()
      const said = await live({ ...lifeOf(directory, form, leg, server), killAt: null })
      legs.push({ lifeMs: Math.round(performance.now() - startedMs), changes: Number(said.split(' ')[1]) })
    } finally {
      await server.close()
    }
  }
  const cuts = (await readManifest(directory)).length
  return { legs, cuts, bytes: JSON.stringify(bytesOf(directory)) }
}

export async function tortureRun(
  directory: string,
  form: Form,
  { legs, cuts }: Baseline,
  { random, kills, round, seed }: Circumstances,
): Promise<RunOutcome> {
  const run = new TorturedRun(directory, form, random, cuts)
  for (const [index, leg] of form.legs.entries()) {
    const { lifeMs, changes } = legs[index] as Baseline['legs'][number]
    // The last leg commits: it has half of the kills where there are others.
    const ofPhase = Math.ceil(kills / 4)
    const plans =
      leg.through === null
        ? planKills({ random, kills: kills - ofPhase * (form.legs.length - 1), round, changes })
        : planPhaseKills({ random, kills: ofPhase, changes })
    await run.leg(leg, plans, lifeMs, seed)
  }
  return run.outcome()
}

class TorturedRun {
  readonly #places: string[] = []
  /** Replies that were readable after a kill or a leg, by key: in which leg, and after how many of its requests. */
  readonly #readable = new Map<string, { leg: number; requests: number }>()
  readonly #logs: string[] = []
  #port = 0

  constructor(
    private readonly directory: string,
    private readonly form: Form,
    private readonly random: Random,
    /** Of an uninterrupted run. */
    private readonly cuts: number,
  ) {}

  async leg(leg: Leg, plans: readonly Plan[], lifeMs: number, seed: number): Promise<void> {
    const server = await legServer(this.directory, leg, this.#logs.length, seed, this.#port)
    this.#port = server.port
    this.#logs.push(server.requestLog)
    try {
      const life = lifeOf(this.directory, this.form, leg, server)
      for (const plan of plans) {
        const cutsLeft = this.cuts - 1 - (await readManifest(this.directory)).length
        if (cutsLeft < 0 && !('ending' in plan)) continue
        const place = await live(
          'instant' in plan
            ? { ...life, killAt: null, killAfterMs: plan.instant * lifeMs }
            : { ...life, killAt: 'step' in plan ? { ...plan, cutsAhead: Math.min(plan.cutsAhead, cutsLeft) } : plan },
        )
        if (place.startsWith('done')) break
        this.#places.push(this.#named(plan, place, cutsLeft))
        if (place === 'manifest-write after') await tearManifest(this.directory, this.random)
        await this.#noteReadable(server)
      }
      await live({ ...life, killAt: null })
      await this.#noteReadable(server)
    } finally {
      await server.close()
    }
  }

  async outcome(): Promise<RunOutcome> {
    const asked = this.#logs.flatMap((path, leg) =>
      readRequests(path).flatMap(({ key, ...request }) => (key === null ? [] : [{ ...request, key, leg }])),
    )
    const again = asked.filter(({ key, leg, number }) => {
      const known = this.#readable.get(key)
      return known !== undefined && (leg > known.leg || (leg === known.leg && number > known.requests))
    })
    const whole = asked.filter(({ complete, status }) => complete && status === 200)
    const faults = [
      ...(again.length > 0 ? [`${again.length} replies that were readable were asked for again`] : []),
      ...(this.#readable.size === 0 ? ['no reply was readable after any kill: nothing is shown'] : []),
      ...(await differences(this.directory, this.form)),
    ]
    return {
      places: this.#places,
      bytes: JSON.stringify(bytesOf(this.directory)),
      requests: whole.length,
      paidTwice: whole.length - new Set(whole.map(({ key }) => key)).size,
      faults,
    }
  }

  async #noteReadable(server: ServerProcess): Promise<void> {
    const seen = { leg: this.#logs.length - 1, requests: await server.requests() }
    for (const key of await readableKeys(join(this.directory, 'replies'))) {
      if (!this.#readable.has(key)) this.#readable.set(key, seen)
    }
  }

  #named(plan: Plan, place: string, cutsLeft: number): string {
    if (!('step' in plan) || place.startsWith('recover')) return place
    const ahead = Math.min(plan.cutsAhead, cutsLeft)
    return `${place}${cutsLeft - ahead === this.cuts - 1 ? ', first cut' : cutsLeft === ahead ? ', last cut' : ''}`
  }
}

/** Each serves the leg's models only, at the address of the one before. */
function legServer(directory: string, { models }: Leg, index: number, seed: number, port: number) {
  return serverProcess({ requestLog: `${directory}-${index}.jsonl`, seed: seed + index, port, models })
}

function lifeOf(directory: string, { discards, set: own = [] }: Form, { through }: Leg, { url }: ServerProcess) {
  const set = [...overrides(url), ...own, ...(discards ? ['replies=discard'] : [])]
  return { directory, endpoint: url, set, through, archive: discards ? archiveOf(directory) : null }
}
