/** Shards that are not read: each that cannot be read is one reject; those removed from a run have no records. */
import { ContractError } from '../errors.js'
import type { FieldMapping } from '../text/mapping.js'
import type { RawBlock } from './formats/raw-block.js'
import type { Shard, ShardReject } from './shard.js'

/** Returns a shard that is one reject. */
export function rejectedShard(of: {
  readonly split: string
  readonly path: string
  readonly mapping: FieldMapping
  readonly reject: ShardReject
}): Shard {
  return { ...of, ...unread, sizeBytes: 0, version: null }
}

/** Returns a removed shard, which keeps the indexes of the others unchanged. */
export function removedShard({ split, path }: { readonly split: string; readonly path: string }): Shard {
  return { split, path, ...unread, sizeBytes: 0, version: null, mapping: { text: '' }, removed: true }
}

export const unread: Pick<Shard, 'open' | 'read'> = {
  open: () => refuse(),
  read: async () => refuse(),
}

function refuse(): never {
  throw new ContractError('a rejected or removed shard was opened')
}

/** Yields the only block of a shard that cannot be read, or the last one if blocks before `offset` were read. */
export async function* shardReject({ reason, detail }: ShardReject, offset = 0): AsyncGenerator<RawBlock> {
  const rejected = [{ offset, reason, detail, excerpt: '' }]
  yield { bytes: new Uint8Array(0), offset, offsetUnit: 'byte', rejected, next: null }
}
