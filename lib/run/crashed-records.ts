/**
 * Rejects records that crashed their worker thread or exceeded its time limit. Which records these are depends on the
 * machine, not on the data alone, so a verdict for their block is stored among the replies before it takes effect. A run
 * that resumes, or is rebuilt from these replies, rejects the same records with the same details and does not retry them.
 */

import { z } from 'zod'
import { type EventLog, noLog } from '../core/event-log.js'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import { replyKey } from '../llm/protocol/request-identity.js'
import type { Replies } from '../storage/replies/replies.js'
import type { Block, PreparedBlock, PrepareReject } from '../text/block.js'
import { recordId } from '../text/identity.js'
import { type LostRecord, lostReasons, type WorkerPool } from '../workers/pool.js'

/** Reason of the stored verdict; its detail has the reason of each record. */
const reason = 'worker-lost'

/** Returns a function that prepares blocks in the pool, with the stored verdict of each. */
export function blockPreparer(
  pool: WorkerPool,
  replies: Pick<Replies, 'find' | 'keep'>,
  log: EventLog = noLog,
): (block: Block) => Promise<PreparedBlock> {
  return async (block) => {
    const { number } = block
    const name = nameOf(block)
    const known = await knownLost(replies, name)
    const prepared = await pool.prepare(block, known.records)
    const lost = prepared.rejects.flatMap(lostRecord)
    if (lost.length > known.records.length) {
      const detail = JSON.stringify(lost)
      await replies.keep(keyOf(name, known.verdicts), number, { verdict: { reason, detail } })
      log.warn('verdict-stored', { stage: 'prepare', block: number, shard: block.shard, reason, detail })
    }
    return prepared
  }
}

function lostRecord({ document, stage, reason, detail }: PrepareReject): LostRecord[] {
  const found = lostReasons.find((each) => each === reason)
  // A custom filter may use the same word as a reason.
  return found === undefined || stage !== 'prepare' ? [] : [{ document, reason: found, detail }]
}

/** Identifies the block in any run that has the same bytes at the same place. */
function nameOf({ split, shard, offset, bytes }: Block): string {
  return recordId(split, shard, offset, -1 - bytes.byteLength)
}

function keyOf(name: string, verdict: number): Buffer {
  return replyKey(name, 'prepare', verdict, '')
}

/** Returns the records of the last stored verdict: a verdict is never replaced, a later one holds more records. */
async function knownLost(
  replies: Pick<Replies, 'find'>,
  name: string,
): Promise<{ records: readonly LostRecord[]; verdicts: number }> {
  let records: readonly LostRecord[] = []
  for (let verdicts = 0; ; verdicts++) {
    const kept = await replies.find(keyOf(name, verdicts))
    if (kept === null || !('verdict' in kept)) return { records, verdicts }
    records = recordsOf(kept.verdict.detail, name)
  }
}

const lostRecords: z.ZodType<LostRecord[]> = z.array(
  z.object({ document: z.int().min(0), reason: z.enum(lostReasons), detail: z.string() }),
)

/** @throws {CorruptFileError} the detail does not hold records */
function recordsOf(detail: string, name: string): readonly LostRecord[] {
  try {
    return lostRecords.parse(JSON.parse(detail))
  } catch (cause) {
    throw new CorruptFileError(say`the stored verdict '${reason}' of block ${name} is not valid`, { cause })
  }
}
