/**
 * A run whose server is disturbed for a random while from its first request on, in each of its lives: the probe meets
 * 429, 503, 500, resets and requests that hang. However often it is killed meanwhile, it must come to its end with the
 * bytes of the undisturbed run: nothing that passed may be pinned.
 */
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import type { Random } from '../support/random.js'
import { bytesOf } from '../support/session.js'
import type { Form } from './forms.js'
import { type Disturbance, type Gateway, startGateway } from './gateway.js'
import { disturbedLife, live } from './processes.js'
import type { Baseline, Circumstances, RunOutcome } from './tortured-run.js'

/** Longest outage, ms: some probes of a second each. */
const outageMsMax = 4000
/** Requests that hang do so until the outage is over: one mixture has none, so that others come to their turn. */
const mixtures: readonly (readonly Disturbance[])[] = [
  ['429', '503', '500', 'reset'],
  ['429'],
  ['503'],
  ['500', 'hang'],
  ['reset'],
  ['hang'],
  ['200 with an error', '503'],
]

export async function tortureOutages(
  directory: string,
  _: Form,
  { legs }: Baseline,
  { random, kills, round, seed }: Circumstances,
): Promise<RunOutcome> {
  const server = await startSimulator({ seed })
  const gateway = await startGateway(server.url)
  const lifeMs = legs[0]?.lifeMs ?? 1000
  const places: string[] = []
  const faults: string[] = []
  try {
    const undisturbed = disturbedLife(`${directory}-undisturbed`, gateway.url)
    await live(undisturbed)
    const expected = JSON.stringify(bytesOf(undisturbed.directory))
    const life = disturbedLife(directory, gateway.url)
    for (let turn = 0; turn < kills; turn++) {
      const outage = startOutage(gateway, mixtureOf(round + turn), random)
      const end = await live({ ...life, killAfterMs: random.between(0, lifeMs + outageMsMax / 2) })
      outage.end()
      places.push(`killed with a server that says ${outage.kinds}`)
      if (end.startsWith('done')) break
    }
    const outage = startOutage(gateway, mixtureOf(round + kills), random)
    const end = await live(life)
    outage.end()
    if (!end.startsWith('done')) faults.push(`after an outage (${outage.kinds}) the last life ended with ${end}`)
    const bytes = JSON.stringify(bytesOf(directory))
    if (bytes !== expected) faults.push(`other bytes than the undisturbed run after an outage (${outage.kinds})`)
    return { places, bytes, requests: server.stats().requests, paidTwice: 0, faults }
  } finally {
    gateway.judge = () => null
    await gateway.close()
    await server.close()
  }
}

function mixtureOf(turn: number): readonly Disturbance[] {
  return mixtures[turn % mixtures.length] as readonly Disturbance[]
}

/** From the next request on, for a random while. */
function startOutage(gateway: Gateway, kinds: readonly Disturbance[], random: Random) {
  const forMs = random.between(100, outageMsMax)
  let timer: NodeJS.Timeout | null = null
  const end = () => {
    if (timer !== null) clearTimeout(timer)
    gateway.judge = () => null
    gateway.unhang()
  }
  gateway.judge = () => {
    timer ??= setTimeout(end, forMs)
    return kinds[random.between(0, kinds.length - 1)] as Disturbance
  }
  return { kinds: kinds.join(', '), end }
}
