/** Keys of the objects of a divided run, and the form of ids. Folders hold 1,000 units. */

import { quote } from '../core/quote.js'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'

/** Folder of the plan. */
export const planFolder = 'plan/'
/** Number of units, once every unit is planned. */
export const planDoneKey = 'plan/done.json'
/** Directory whose `prepare` writes the plan of a bucket. */
export const planOwnerKey = 'plan/owner.json'
/** Capabilities of the servers: the first process that knows them writes them. */
export const capabilitiesKey = 'plan/capabilities.json'
/** Folder with the start of each stage for drift detection; the first worker that knows it writes it. */
const startsFolder = 'plan/brakes'
/** Verdicts of prepare about records that crashed its threads: a store of replies. */
export const verdictsFolder = 'plan/verdicts'

/** Units in one file of the plan. */
export const unitsPerPlanFile = 100

const idPattern = /^\d{6}-[0-9a-f]{20}$/

/** @throws {UsageError} the text is not the id of a unit */
export function checkUnitId(id: string): string {
  if (idPattern.test(id)) return id
  throw new UsageError(say`${quote(id)} is not the id of a unit: six digits, '-' and 20 hexadecimal digits`)
}

/** Returns the number of the cut in the id of a unit. */
export function cutOf(id: string): number {
  return Number(checkUnitId(id).slice(0, 6))
}

/** Returns the key of the plan file with a cut. */
export function planKey(cut: number): string {
  return `plan/${digits(Math.floor(cut / unitsPerPlanFile))}.jsonl`
}

export function unitKey(cut: number): string {
  return `units/${digits(cut).slice(0, 3)}/${digits(cut)}.jsonl.gz`
}

/** Returns the key whose existence makes a unit done. */
export function resultKey(id: string): string {
  return `results/${checkUnitId(id).slice(0, 3)}/${id}.json`
}

/** Returns the prefix of all attempts at a unit. */
export function attemptsPrefix(id: string): string {
  return `attempts/${checkUnitId(id)}/`
}

/** Returns the prefix of what one process writes when it generates a unit. */
export function attemptPrefix(id: string, attempt: string): string {
  return `${attemptsPrefix(id)}${attempt}/`
}

/** Returns the prefix of the failed attempts at a unit. */
export function failuresPrefix(id: string): string {
  return `failed/${checkUnitId(id)}/`
}

/** Returns the key of a decision about a record of a unit; they are numbered from 0. */
export function decisionKey(id: string, number: number): string {
  return `decided/${checkUnitId(id)}/${digits(number)}.json`
}

export function startKey(stage: string): string {
  return `${startsFolder}/${stage}.json`
}

function digits(number: number): string {
  return String(number).padStart(6, '0')
}
