/**
 * Kills runs, at random instants and at each named step of the commit and of recovery, until as many kills are made as
 * asked for, the forms of run in turn; each is brought to its end and judged. What one run goes through is tortured-run.ts.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Random } from '../support/random.js'
import { tortureChangedInputs } from './changed-inputs.js'
import { containersRefused, tortureContainers } from './containers.js'
import { forms as allForms, type Form } from './forms.js'
import { tortureOutages } from './outages.js'
import { torturePoison } from './poison.js'
import { type Baseline, tortureRun, uninterrupted } from './tortured-run.js'

export interface TortureOptions {
  /** SIGKILLs in all. */
  readonly kills: number
  readonly seed: number
  /** Scratch space; left as it is, so that what failed can be looked at. */
  readonly directory: string
  /** Of one run, before it is let come to its end. */
  readonly killsPerRun?: number
  /** Each run takes the next one; all by default. */
  readonly forms?: readonly Form[]
  readonly say?: (line: string) => void
}

export interface TortureReport {
  readonly kills: number
  readonly runs: number
  /** Kills by form, and by place: 'rename before', 'random instant' … */
  readonly forms: Readonly<Record<string, number>>
  readonly places: Readonly<Record<string, number>>
  /** Requests about records answered whole, and those among them that answered one a second time. */
  readonly requests: number
  readonly paidTwice: number
  /** What did not hold; empty when all is well. */
  readonly faults: readonly string[]
}

function tormentOf(form: Form): typeof tortureRun {
  if (form.disturbs !== undefined) return form.disturbs === 'outages' ? tortureOutages : torturePoison
  if (form.changesInput === true) return tortureChangedInputs
  return form.containers === true ? tortureContainers : tortureRun
}

export async function torture(options: TortureOptions): Promise<TortureReport> {
  const { kills, seed, directory, killsPerRun = 22, say = () => undefined } = options
  const refused = containersRefused()
  if (refused !== null) say(`without containers: ${refused}`)
  const forms = (options.forms ?? allForms).filter(({ containers }) => !(containers === true && refused !== null))
  if (forms.length === 0) throw new Error(`no form of run is left: ${refused}`)
  mkdirSync(directory, { recursive: true })
  const random = new Random(seed)
  const report = { kills: 0, runs: 0, requests: 0, paidTwice: 0 }
  const killed = { forms: {} as Record<string, number>, places: {} as Record<string, number> }
  const faults: string[] = []
  const baselines = new Map<Form, Baseline>()
  /** Of every run so far: no two have the same replies. */
  const bytesSeen = new Set<string>()
  while (report.kills < kills) {
    const form = forms[report.runs % forms.length] as Form
    let baseline = baselines.get(form)
    if (baseline === undefined) {
      baseline = await uninterrupted(join(directory, `${form.name}-uninterrupted`), form, seed)
      baselines.set(form, baseline)
      bytesSeen.add(baseline.bytes)
      const legs = baseline.legs.map(({ lifeMs, changes }) => `${lifeMs} ms and ${changes} changes of files`)
      say(`${form.name}, uninterrupted: ${legs.join(', ')}; ${baseline.cuts} cuts`)
    }
    const run = `run-${report.runs}`
    const torment = tormentOf(form)
    const outcome = await torment(join(directory, run), form, baseline, {
      random,
      kills: Math.min(killsPerRun, kills - report.kills),
      round: report.runs,
      seed: seed + report.runs,
    })
    for (const place of outcome.places) killed.places[place] = (killed.places[place] ?? 0) + 1
    killed.forms[form.name] = (killed.forms[form.name] ?? 0) + outcome.places.length
    // A disturbed run is compared with an undisturbed one of its own, over a server whose replies follow from requests.
    if (form.disturbs === undefined && bytesSeen.has(outcome.bytes)) {
      outcome.faults.push('has the bytes of another run: its server gave the same replies, so that nothing is shown')
    }
    bytesSeen.add(outcome.bytes)
    faults.push(...outcome.faults.map((fault) => `${run} (${form.name}): ${fault}`))
    report.kills += outcome.places.length
    report.requests += outcome.requests
    report.paidTwice += outcome.paidTwice
    report.runs++
    say(
      `${run} (${form.name}): ${report.kills} of ${kills} kills, ${outcome.requests} requests, ${faults.length} faults`,
    )
  }
  return { ...report, ...killed, faults }
}
