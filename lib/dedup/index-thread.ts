/**
 * Entry point of a thread with some of the tables of a divided index: messages in, in order, and one reply each. It passes
 * each message on to the next such thread, and adds its own findings to the reply of that one: the thread that decides
 * sends and receives one message a block, however many threads there are.
 */
import { type MessagePort, workerData } from 'node:worker_threads'
import { nameThread, ownPort } from '../core/own-thread.js'
import { toWire } from '../core/wire-error.js'
import { BandTables } from './band-tables.js'
import { IdHasher } from './block-ids.js'
import type { FromIndexThread, IndexThreadData, RowsToName, ToIndexThread } from './index-threads.js'

nameThread('dedup-index')
const { tables: options, place, threads, before, after }: IndexThreadData = workerData
const port: MessagePort = before ?? ownPort()
/** Created by the first message, so that a failure to create it is reported as the reply. */
let tables: BandTables | null = null
let hasher: IdHasher | null = null
/** Replies of this thread, and of those after it, that wait for each other; oldest first. */
const own: FromIndexThread[] = []
const others: FromIndexThread[] = []

port.on('message', (message: ToIndexThread) => {
  after?.postMessage(message)
  own.push(replyTo(message))
  sendReplies()
})

after?.on('message', (reply: FromIndexThread) => {
  others.push(reply)
  sendReplies()
})

function sendReplies(): void {
  while (own.length > 0 && (after === null || others.length > 0)) {
    const reply = own.shift() as FromIndexThread
    port.postMessage(after === null ? reply : joined(reply, others.shift() as FromIndexThread))
  }
}

function joined(first: FromIndexThread, other: FromIndexThread): FromIndexThread {
  if ('error' in first) return first
  if ('error' in other) return other
  const findings = [...first.findings, ...other.findings]
  return { findings, memoryBytes: first.memoryBytes + other.memoryBytes }
}

function replyTo({ inserts, probe, name }: ToIndexThread): FromIndexThread {
  try {
    tables ??= new BandTables(options)
    for (const rows of inserts) tables.insert(rows)
    const findings = tables.probe(probe)
    if (name !== null) nameRows(name, probe.rows)
    return { findings: [findings], memoryBytes: tables.memoryBytes }
  } catch (error) {
    return { error: toWire(error) }
  }
}

/** Hashes the ids of this thread's share of the rows. */
function nameRows(name: RowsToName, rows: number): void {
  const [from, until] = [Math.floor((place * rows) / threads), Math.floor(((place + 1) * rows) / threads)]
  hasher ??= new IdHasher()
  hasher.hash(name, from, until, name.bytes)
}
