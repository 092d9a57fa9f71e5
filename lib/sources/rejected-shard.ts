/** Shards of which nothing is read: those that cannot be, each one reject, and those that were taken out of a run. */
import { ContractError } from '../errors.js'
import type { FieldMapping } from '../text/mapping.js'
import type { Piece } from './formats/raw-block.js'
import type { Shard, ShardReject } from './shard.js'

/** Builds a shard that is one reject. */
export function rejectedShard(of: {
  readonly split: string
  readonly path: string
  readonly mapping: FieldMapping
  readonly fault: ShardReject
}): Shard {
  return { ...of, ...unread, sizeBytes: 0, version: null }
}

/** A shard that was taken out: it keeps the indexes of the others as they are. */
export function removedShard({ split, path }: { readonly split: string; readonly path: string }): Shard {
  return { split, path, ...unread, sizeBytes: 0, version: null, mapping: { text: '' }, removed: true }
}

const unread: Pick<Shard, 'open' | 'read'> = {
  open: () => refuse(),
  read: async () => refuse(),
}

function refuse(): never {
  throw new ContractError('a shard that is only a reject, or was taken out, was opened')
}

/** The one piece of a shard that cannot be read; at `offset` where pieces came before. */
export async function* shardReject({ reason, detail }: ShardReject, offset = 0): AsyncGenerator<Piece> {
  const refused = [{ offset, reason, detail, excerpt: '' }]
  yield { bytes: new Uint8Array(0), offset, offsetUnit: 'byte', refused, next: null }
}
