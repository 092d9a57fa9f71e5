/**
 * Compares the shards that run.json pins with those listed now. Indexes in the list never change, because cursors
 * contain them: a removed shard keeps its place. Shards that committed blocks were read from must not change.
 */
import { RunMismatchError } from '../errors.js'
import { say } from '../language/say.js'
import {
  isBegun,
  isEnded,
  removedShard,
  type Shard,
  type ShardRead,
  type ShardReject,
  type SourceCursor,
} from '../sources/index.js'

/** A shard as run.json pins it. JSON-safe. */
export interface PinnedShard {
  readonly split: string
  /** Name of the source; omitted if it is the split. */
  readonly source?: string
  readonly path: string
  readonly sizeBytes: number | null
  /** `Shard.version`. */
  readonly content: string | null
  /** Why the whole shard is one reject; omitted if it can be read. */
  readonly fault?: ShardReject
  /** Removed before a committed block was read from it; omitted otherwise. */
  readonly removed?: true
}

interface AlignedShards {
  /** Shards to read: as listed now, with removed ones in their places. */
  readonly shards: readonly Shard[]
  /** The new list for run.json. */
  readonly pinned: readonly PinnedShard[]
  /** Changes that do not prevent resuming, one line each. */
  readonly notes: readonly string[]
  /** Why the run cannot resume with these shards, one line each. */
  readonly problems: readonly string[]
}

/** Returns a list in the form of run.json. */
export function pinnedShards(shards: readonly Shard[]): PinnedShard[] {
  return shards.map(pinnedShard)
}

function pinnedShard({ split, source, path, sizeBytes, version: content, reject: fault }: Shard): PinnedShard {
  return { split, ...(source !== undefined && { source }), path, sizeBytes, content, ...(fault != null && { fault }) }
}

/**
 * Aligns the listed shards with those in run.json.
 *
 * @param before the list in run.json
 * @param cursor the cursor of the last committed cut; null if there is none
 */
export function alignShards(
  before: readonly PinnedShard[],
  listed: readonly Shard[],
  cursor: SourceCursor | null,
  reads: readonly ShardRead[] = [],
): AlignedShards {
  const rejected = new Set(reads.filter((each) => each.rejected).map(({ shard }) => shard))
  const rest = new Map(listed.map((shard) => [keyOf(shard), shard]))
  const shards: Shard[] = []
  const pinned: PinnedShard[] = []
  const notes: string[] = []
  const problems: string[] = []
  for (const [index, was] of before.entries()) {
    const state = cursor === null || !isBegun(cursor, index) ? 'unread' : stateOf(cursor, index, rejected.has(index))
    const found = rest.get(keyOf(was))
    if (!was.removed) rest.delete(keyOf(was))
    const aligned = align(was, found, state)
    shards.push(aligned.shard)
    pinned.push(aligned.pinned)
    if (aligned.note !== undefined) notes.push(aligned.note)
    if (aligned.problem !== undefined) problems.push(aligned.problem)
  }
  const taken = new Set(before.filter(({ removed }) => removed).map(keyOf))
  for (const [key, { path, split }] of rest) {
    const how = taken.has(key) ? 'was removed from this run and is listed again' : 'is not a shard of this run'
    problems.push(`${path} (${split}) ${how}: shards cannot be added`)
  }
  return { shards, pinned, notes, problems }
}

/** 'rejected': it ended and gave only rejects; 'rejects-so-far': it has given only rejects. */
type ReadState = 'unread' | 'read' | 'rejected' | 'rejects-so-far' | 'ended'

function stateOf(cursor: SourceCursor, index: number, rejected: boolean): ReadState {
  const ended = isEnded(cursor, index)
  if (rejected) return ended ? 'rejected' : 'rejects-so-far'
  return ended ? 'ended' : 'read'
}

interface Aligned {
  readonly shard: Shard
  readonly pinned: PinnedShard
  readonly note?: string
  readonly problem?: string
}

function align(was: PinnedShard, found: Shard | undefined, state: ReadState): Aligned {
  const { path, split, fault } = was
  const name = `${path} (${split})`
  if (was.removed) return { shard: removedShard(was), pinned: was }
  if (found === undefined) return removed(was, name, state)
  const is = pinnedShard(found)
  const same = was.sizeBytes === is.sizeBytes && was.content === is.content
  if (state === 'rejected' || (state === 'ended' && fault !== undefined)) {
    // The verdict is committed: the shard remains one reject, regardless of its current state.
    const now = same && JSON.stringify(fault) === JSON.stringify(is.fault) ? {} : { note: stays(name) }
    return { shard: removedShard(was), pinned: was, ...now }
  }
  if (state === 'unread' && (fault !== undefined || is.fault !== undefined)) {
    return { shard: found, pinned: is, ...changed(was, is) }
  }
  const stdin = problemOfStdin(was, state)
  if (stdin !== null) return { shard: found, pinned: was, problem: stdin }
  if (is.fault !== undefined) {
    const problem = `${name} cannot be read any more (${is.fault.detail}), and committed blocks were read from it. Restore it`
    return { shard: found, pinned: was, problem }
  }
  if (same) return { shard: found, pinned: was }
  const how =
    was.sizeBytes === is.sizeBytes
      ? `has other content (${is.content}, it was ${was.content})`
      : `has ${is.sizeBytes} bytes, it had ${was.sizeBytes}`
  const unread = 'Restore it, or remove it from the sources: no committed block was read from it'
  const advice = state === 'unread' ? unread : 'Restore it'
  return { shard: found, pinned: was, problem: `${name} ${how}. ${advice}` }
}

function removed(was: PinnedShard, name: string, state: ReadState): Aligned {
  const aligned: Aligned = { shard: removedShard(was), pinned: { ...was, removed: true } }
  if (state === 'unread') {
    return { ...aligned, note: `${name} is not listed any more: removed, no committed block was read from it` }
  }
  if (state === 'rejected' || state === 'rejects-so-far' || was.fault !== undefined) {
    return { ...aligned, note: `${name} is not listed any more: removed, its committed rejects stay` }
  }
  return {
    ...aligned,
    problem: `${name} is not listed any more, and committed blocks were read from it: it cannot be removed. Restore it`,
  }
}

/** Standard input cannot be read again, and its content now may differ. */
function problemOfStdin({ path, sizeBytes, content }: PinnedShard, state: ReadState): string | null {
  if (path !== '-' || sizeBytes !== null || content !== null || state === 'unread' || state === 'ended') return null
  return 'standard input was read in part and cannot be read again: save it to a file and start over with that file'
}

function stays(name: string): string {
  return `${name} can be read now; its reject is committed and stays. To include it, start over in another directory`
}

function changed({ path, split, fault }: PinnedShard, is: PinnedShard): { note?: string } {
  if (JSON.stringify(fault) === JSON.stringify(is.fault)) return {}
  const now =
    is.fault === undefined ? 'can be read now and is included' : `cannot be read (${is.fault.detail}): one reject`
  return { note: `${path} (${split}) ${now}` }
}

function keyOf({ split, path }: { readonly split: string; readonly path: string }): string {
  return `${split}\0${path}`
}

const problemsShownMax = 5

/** @throws {RunMismatchError} the run cannot resume with the shards listed now */
export function refuseMisaligned({ problems }: AlignedShards, directory: string): void {
  if (problems.length === 0) return
  const shown = problems.slice(0, problemsShownMax)
  const more = problems.length > shown.length ? [`and ${problems.length - shown.length} more`] : []
  throw new RunMismatchError(
    say`${directory} holds a run over other shards; rows of both cannot be mixed:\n 
      ${[...shown, ...more].join('\n  ')}\nAlternatively, use another directory, or delete this one to start over:
      \`run --fresh --force\` keeps the replies.`,
    { details: { directory, difference: shown.join('; ') } },
  )
}
