/**
 * The default encoder: hyparquet-writer with zstd level 3.
 *
 * The codec is WebAssembly on every Node, so that Node 20 and 24 write the same bytes. The bytes of zlib's zstd (Node 22.15
 * and later) depend on the version of Node, and it is only 1.3 times as fast for a whole file: 88,000 rows/s of 1.4 kB,
 * 65,000 with WebAssembly (Node 24, 2 cores). A model server produces hundreds.
 *
 * Large row groups are encoded in threads, the last one of a file and those of small files on the calling one.
 */

import type { SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { type Cell, type Column, textNames } from '../columns.js'
import { appendGroup, type Compress, chunkWriter, type EncodedGroup, rowGroupOf } from './encode-group.js'
import { GroupThreads } from './group-threads.js'
import type { WrittenChunk } from './text-chunk.js'
import type { EncodedFile, EncodedFileOptions, Encoder } from './types.js'
import { installedVersion } from './version.js'
import { zstdCompressor } from './zstd.js'

/** The default encoder: hyparquet-writer with zstd from WebAssembly, the same bytes on every Node. */
export async function hyparquetEncoder(): Promise<Encoder> {
  const compress = await zstdCompressor(zstdLevel)
  threads ??= new GroupThreads(zstdLevel)
  const [writer, codec] = ['hyparquet-writer', '@bokuweb/zstd-wasm'].map((name) => `${name} ${installedVersion(name)}`)
  return {
    name: 'hyparquet-writer',
    identity: `${writer}, zstd level ${zstdLevel} by ${codec}`,
    open: (options) => new HyparquetFile(options, compress, threads),
  }
}

const zstdLevel = 3
/** Uncompressed bytes from which a row group is encoded in a thread: encoding takes 20 ms there, or blocks the event loop. */
const threadFromBytes = 2 * 1024 * 1024

/** Those of this process, from its first encoder on. */
let threads: GroupThreads | null = null

class HyparquetFile implements EncodedFile {
  readonly #bytes = new ByteWriter()
  readonly #parquet: ParquetWriter
  readonly #options: EncodedFileOptions
  readonly #schema: SchemaElement[]
  readonly #writeChunks: ReturnType<typeof chunkWriter>
  readonly #threads: GroupThreads | null
  /** Row groups in threads, in the order of the file. */
  readonly #encoding: Promise<EncodedGroup>[] = []

  constructor(options: EncodedFileOptions, compress: Compress, groupThreads: GroupThreads | null) {
    this.#options = options
    this.#schema = schemaOf(options.columns)
    this.#writeChunks = chunkWriter(this.#bytes, this.#schema, compress)
    this.#threads = groupThreads
    this.#parquet = new ParquetWriter({
      writer: this.#bytes,
      schema: this.#schema,
      codec: 'ZSTD',
      compressors: { ZSTD: compress },
      kvMetadata: Object.entries(options.metadata).map(([key, value]) => ({ key, value })),
      createdBy: 'hyparquet',
    })
  }

  async writeRowGroup(columns: readonly (readonly Cell[])[], rows: number, bytes: number): Promise<void> {
    if (this.#threads === null || bytes < threadFromBytes) {
      await this.#writeEncoded(0)
      await this.#encodeHere(columns, rows)
      return
    }
    const names = this.#options.columns.map(({ name }) => name)
    const { encoded } = await this.#threads.encode({ schema: this.#schema, names, columns, rows })
    this.#encoding.push(encoded)
    await this.#writeEncoded(1)
  }

  /** Writes row groups that were sent to threads, the oldest first, until `left` are left. */
  async #writeEncoded(left: number): Promise<void> {
    while (this.#encoding.length > left) {
      const encoded = await (this.#encoding.shift() as Promise<EncodedGroup>)
      appendGroup(encoded, this.#parquet, this.#bytes.offset)
      await this.#writeBuffered() // the magic at the start of the file
      await this.#options.write(encoded.bytes)
      this.#bytes.offset += encoded.bytes.length
    }
  }

  /** Writes column by column: encoding blocks the event loop, and the write after each column yields to other work. */
  async #encodeHere(columns: readonly (readonly Cell[])[], rows: number): Promise<void> {
    const chunks: WrittenChunk[] = []
    for (const [c, { name }] of this.#options.columns.entries()) {
      chunks.push(...this.#writeChunks(name, columns[c] as readonly Cell[]))
      await this.#writeBuffered()
    }
    this.#parquet.row_groups.push(rowGroupOf(chunks, rows))
    this.#parquet.pendingIndexes.push(...chunks)
    this.#parquet.num_rows += BigInt(rows)
  }

  async finish(): Promise<void> {
    await this.#writeEncoded(0)
    await this.#parquet.finish()
    await this.#writeBuffered()
  }

  /** Writes the buffer and empties it. `offset` is that of the file and is kept; `index` is that of the buffer. */
  async #writeBuffered(): Promise<void> {
    await this.#options.write(this.#bytes.getBytes())
    this.#bytes.index = 0
  }
}

function schemaOf(columns: readonly Column[]): SchemaElement[] {
  return [{ name: 'root', num_children: columns.length }, ...columns.flatMap(elementsOf)]
}

function elementsOf({ name, type, nullable }: Column): SchemaElement[] {
  const repetition_type = nullable ? 'OPTIONAL' : 'REQUIRED'
  const text = (field: string): SchemaElement => ({
    name: field,
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    repetition_type: 'REQUIRED',
  })
  switch (type) {
    case 'string':
      return [{ ...text(name), repetition_type }]
    case 'int64':
      return [{ name, type: 'INT64', repetition_type }]
    case 'int32':
      return [{ name, type: 'INT32', repetition_type }]
    case 'float64':
      return [{ name, type: 'DOUBLE', repetition_type }]
    case 'boolean':
      return [{ name, type: 'BOOLEAN', repetition_type }]
    case 'message':
      return [{ name, repetition_type, num_children: 2 }, ...textNames[type].map(text)]
    case 'messages':
    case 'turns':
      return [
        { name, repetition_type, converted_type: 'LIST', num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', repetition_type: 'REQUIRED', num_children: 2 },
        ...textNames[type].map(text),
      ]
  }
}
