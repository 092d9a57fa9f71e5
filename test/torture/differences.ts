/**
 * What a run that came to its end has otherwise than it should: than a run from its replies alone, than an uninterrupted
 * one over them, than its manifest says. Of discarded replies the archive is used, to which they were linked.
 */
import { cpSync, existsSync, linkSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { verifyRun } from '../../lib/sinks/index.js'
import { bytesOf, runTiny } from '../support/session.js'
import { type Form, overrides } from './forms.js'
import { readableKeys } from './processes.js'

/** Nobody listens there: every request is refused. */
const nobody = 'http://127.0.0.1:9/v1'

/** @param more overrides that the run had besides */
export async function differences(directory: string, form: Form, more: readonly string[] = []): Promise<string[]> {
  const bytes = bytesOf(directory)
  const faults = form.discards ? await undiscarded(directory) : []
  const paid = form.discards ? archiveOf(directory) : directory
  const compare = async (what: string, other: string, inFlight: readonly string[] = []): Promise<void> => {
    const set = [
      'servers.outageMaxMs=1s',
      'servers.startMaxMs=0',
      ...overrides(nobody),
      ...(form.set ?? []),
      ...inFlight,
      `replies.from=["${paid}"]`,
      ...more,
    ]
    try {
      await runTiny({ directory: other, endpoint: nobody, small: true, set })
    } catch (error) {
      faults.push(`${what} fails: ${error}`)
      return
    }
    const found = bytesOf(other)
    const names = [...new Set([...Object.keys(found), ...Object.keys(bytes)])].filter((n) => found[n] !== bytes[n])
    if (names.length > 0) faults.push(`${what} gives other bytes: ${names.join(', ')}`)
  }
  const oneInFlight = ['writer', 'judge', 'polisher'].map((model) => `models.${model}.inFlightMax=1`)
  await compare('a run from its replies alone, with one request in flight,', `${directory}-rebuilt`, oneInFlight)
  const over = `${directory}-over`
  cpSync(join(paid, 'replies'), join(over, 'replies'), { recursive: true })
  await compare('an uninterrupted run over its replies', over)
  const { findings } = await verifyRun(directory)
  faults.push(...findings.map((finding) => `verify: ${JSON.stringify(finding)}`))
  return faults
}

/** A directory beside the run that looks like one to `replies.from`. */
export function archiveOf(directory: string): string {
  return `${directory}-archive`
}

/** Links the log of replies to the archive: what the run deletes next is not lost to us. */
export function archiveLog(archive: string, log: string): void {
  const folder = join(archive, 'replies')
  mkdirSync(folder, { recursive: true })
  if (existsSync(log)) linkSync(log, join(folder, `${String(readdirSync(folder).length).padStart(6, '0')}.log`))
}

/** Replies of committed cuts that are still there; and brings the archive into the form that `replies.from` takes. */
async function undiscarded(directory: string): Promise<string[]> {
  const archive = archiveOf(directory)
  const replies = join(directory, 'replies')
  const left = await readableKeys(replies)
  for (const name of readdirSync(replies)) archiveLog(archive, join(replies, name))
  cpSync(join(directory, 'run.json'), join(archive, 'run.json'))
  return left.size === 0 ? [] : [`${left.size} replies are left that only committed cuts need`]
}
