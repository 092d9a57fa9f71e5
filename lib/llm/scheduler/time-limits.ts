/**
 * Time limits: the deadline of one request, the outage of all servers, the stall of a group without progress.
 * Time while an endpoint is down does not count towards deadlines.
 *
 * Why every run ends: a group has finitely many calls, each is settled once, and between two settlements of a group that
 * has calls pending at most `outageMaxMs + progressDeadlines · deadlineMs` pass, whatever its servers do; otherwise
 * `stallOf` ends the run. Verdicts and outages only shorten that.
 */
import { AccountError, OutageError, ServerError } from '../../errors.js'
import { say } from '../../language/say.js'
import type { Endpoint } from '../endpoint/endpoint.js'
import type { EndpointGroup, SentBatch } from './pending-request.js'

/** A hanging record is rejected after three deadlines; a fourth is for requests that were in flight before. */
const progressDeadlines = 4

/** Returns the error of a request past its deadline; time while its endpoint was down does not count. */
export function deadlineError(
  { endpoint, sentAtMs, downMs, deadlineMs }: SentBatch,
  nowMs: number,
): ServerError | null {
  const spentMs = nowMs - sentAtMs - (endpoint.downMs(nowMs) - downMs)
  if (spentMs <= deadlineMs) return null
  const words = `no reply within ${deadlineMs} ms`
  return new ServerError(words, { details: { kind: 'deadline', words } })
}

/** Returns the error of a run that cannot continue with this group's servers, or null. */
export function terminalError(
  group: EndpointGroup,
  nowMs: number,
  outageMaxMs: number,
): AccountError | OutageError | null {
  if (group.pending === 0) return null
  return accountOf(group) ?? outageOf(group, nowMs, outageMaxMs) ?? stallOf(group, nowMs, outageMaxMs)
}

/** Every endpoint refuses the account and nothing is in flight: waiting does not help. */
function accountOf({ endpoints, inFlight }: EndpointGroup): AccountError | null {
  if (inFlight > 0 || endpoints.length === 0 || !endpoints.every(({ isDown, account }) => isDown && account !== null))
    return null
  return accountError(endpoints)
}

/** Builds the error of a run whose account a server refuses, with the server's text. */
export function accountError(endpoints: readonly Pick<Endpoint, 'label' | 'account'>[]): AccountError {
  const refusals = endpoints.map(({ label, account }) => `${label}: ${account ?? ''}`).join('; ')
  return new AccountError(say`the model server refuses the account (${refusals}); settle it and run again to resume`)
}

/**
 * Returns the outage if calls wait for servers that are all down, each without a success for longer than `outageMaxMs`.
 * A server that passes its probe and fails every record is down too: only a success ends an outage.
 */
function outageOf({ endpoints, emptySinceMs }: EndpointGroup, nowMs: number, outageMaxMs: number): OutageError | null {
  let sinceMs = emptySinceMs ?? Number.NEGATIVE_INFINITY
  for (const { isDown, inFlight, health } of endpoints) {
    // A request in flight at a server that came back may be its first success.
    if (health.troubleSinceMs === null || (!isDown && inFlight > 0)) return null
    sinceMs = Math.max(sinceMs, health.troubleSinceMs)
  }
  return nowMs - sinceMs <= outageMaxMs ? null : outageError(endpoints, nowMs - sinceMs)
}

function stallOf({ endpoints, progressAtMs, deadlineMs }: EndpointGroup, nowMs: number, outageMaxMs: number) {
  const stalledMs = nowMs - progressAtMs
  return stalledMs <= outageMaxMs + progressDeadlines * deadlineMs ? null : outageError(endpoints, stalledMs)
}

/** Builds the outage error of these endpoints, with the last error text from any of them. */
export function outageError(endpoints: readonly Endpoint[], sinceMs: number): OutageError {
  const seconds = Math.round(sinceMs / 1000)
  const time = seconds === 0 ? `${Math.round(sinceMs)} ms` : `${seconds} s`
  const names = endpoints.map(({ label }) => label).join(', ') || say`no server of the list is ready`
  const last = [...endpoints].sort((a, b) => (b.lastFailure?.atMs ?? -1) - (a.lastFailure?.atMs ?? -1))
  const answered = last.find(({ lastFailure }) => lastFailure?.answered)
  const heard = answered ?? last.find(({ lastFailure }) => lastFailure !== null)
  const words = heard?.lastFailure
    ? `; last error from ${heard.label}: ${heard.lastFailure.words.replace(/[\s.。]+$/u, '')}`
    : ''
  const details = { seconds, words: heard?.lastFailure?.words ?? null }
  return answered === undefined
    ? new OutageError(say`no model server responded for ${time}: ${names}${words}. Start it and run again to resume`, {
        details,
      })
    : new OutageError(
        say`the model servers failed every request for ${time}: ${names}${words}. Repair them and run again
          to resume`,
        { details },
      )
}
