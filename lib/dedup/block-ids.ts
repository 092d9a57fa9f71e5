/** Public ids of the rows of a block, as bytes: hashed four at a time in the kernel, which takes a fifth of node:crypto. */
import type { BlockToDecide } from './block-rows.js'
import type { IdBytes } from './kept-frames.js'
import { KernelRegion, kernelBytesMax, scratchKernel } from './kernel-memory.js'

/** Rows that are named by their positions. */
export interface RowsToName {
  readonly split: string
  readonly shard: string
  readonly offset: Float64Array
  readonly chunk: Int32Array
}

/** Exports of kernel/assembly/ids.ts, documented there. */
interface Kernel {
  readonly memory: WebAssembly.Memory
  take(bytes: number): number
  usedPages(): number
  hashIds(
    ...given: [
      ...[prefix: number, prefixBytes: number, offsets: number, chunks: number],
      ...[from: number, until: number, ids: number],
    ]
  ): void
}

const idBytes = 16

/** Hashes ids as lib/text/identity.ts does. */
export class IdHasher {
  readonly #kernel = scratchKernel<Kernel>()
  readonly #prefix = new KernelRegion(this.#kernel, kernelBytesMax)
  readonly #offsets = new KernelRegion(this.#kernel, kernelBytesMax)
  readonly #chunks = new KernelRegion(this.#kernel, kernelBytesMax)
  readonly #ids = new KernelRegion(this.#kernel, kernelBytesMax)

  /** Writes the ids of rows `from` to before `until` to `target`, which has 16 bytes for each row of the block. */
  hash({ split, shard, offset, chunk }: RowsToName, from: number, until: number, target: Uint8Array): void {
    const count = until - from
    const prefix = Buffer.from(`${JSON.stringify([split, shard]).slice(0, -1)},`)
    const prefixAt = this.#prefix.set(prefix)
    const offsetsAt = this.#offsets.set(offset.subarray(from, until))
    const chunksAt = this.#chunks.set(chunk.subarray(from, until))
    const ids = this.#ids.reserve(count * idBytes)
    this.#kernel.hashIds(prefixAt, prefix.length, offsetsAt, chunksAt, 0, count, ids)
    target.set(new Uint8Array(this.#kernel.memory.buffer, ids, count * idBytes), from * idBytes)
  }
}

const packable = /^[0-9a-f]{32}$/

/** Packs ids to `bytes`; those that are not 32 hexadecimal digits are listed by row. */
export function packedIds(ids: readonly string[], bytes: Uint8Array = new Uint8Array(ids.length * idBytes)): IdBytes {
  const target = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const longIds = new Map<number, string>()
  ids.forEach((id, row) => {
    if (packable.test(id)) target.write(id, row * idBytes, 'hex')
    else longIds.set(row, id)
  })
  return { bytes, longIds: longIds.size === 0 ? null : longIds }
}

/** Returns the ids of the rows of a block. */
export function idsOfBlock({ ids, split, shard, columns }: BlockToDecide, hasher: () => IdHasher): IdBytes {
  if (ids !== null) return packedIds(ids)
  const { rows, offset, chunk } = columns
  const bytes = new Uint8Array(rows * idBytes)
  hasher().hash({ split, shard, offset, chunk }, 0, rows, bytes)
  return { bytes, longIds: null }
}
