/**
 * Records that crashed their worker thread or ran out of time in it: which they are depends on the machine, not on the data alone. So it is
 * kept among the replies, a verdict a block, before it takes effect, and served to a run that resumes or is built from
 * those replies: it rejects the same records with the same words, and does not try them again.
 */
import { replyKey } from '../llm/protocol/request-identity.js'
import type { Replies } from '../storage/replies/replies.js'
import type { Block, PreparedBlock, PrepareReject } from '../text/block.js'
import { recordId } from '../text/identity.js'
import { type LostRecord, lostReasons, type WorkerPool } from '../workers/pool.js'

/** Reason of the stored verdict, whatever the reasons of its records. */
const reason = 'worker-lost'

/** Prepares blocks in the pool, with what is known of each. */
export function preparing(
  pool: WorkerPool,
  replies: Pick<Replies, 'find' | 'keep'>,
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
    }
    return prepared
  }
}

function lostRecord({ document, stage, reason, detail }: PrepareReject): LostRecord[] {
  const found = lostReasons.find((each) => each === reason)
  // A custom filter may use the same word as a reason.
  return found === undefined || stage !== 'prepare' ? [] : [{ document, reason: found, detail }]
}

/** Of the same bytes at the same place, in whatever run. */
function nameOf({ split, shard, offset, bytes }: Block): string {
  return recordId(split, shard, offset, -1 - bytes.byteLength)
}

function keyOf(name: string, verdict: number): Buffer {
  return replyKey(name, 'prepare', verdict, '')
}

/** A kept verdict stays as it is; where more were lost later, another one follows it with all of them. */
async function knownLost(
  replies: Pick<Replies, 'find'>,
  name: string,
): Promise<{ records: readonly LostRecord[]; verdicts: number }> {
  let records: readonly LostRecord[] = []
  for (let verdicts = 0; ; verdicts++) {
    const kept = await replies.find(keyOf(name, verdicts))
    if (kept === null || !('verdict' in kept)) return { records, verdicts }
    records = JSON.parse(kept.verdict.detail) as LostRecord[]
  }
}
