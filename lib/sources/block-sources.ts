/** Sources of a graph: the blocks of files on disk, of a dataset on the Hub, of standard input, of an Arrow stream. */
import type { Readable } from 'node:stream'
import { Credit } from '../core/credit.js'
import { type Source, sourceOf } from '../core/graph.js'
import { closeAfter } from '../storage/close-all.js'
import type { Block } from '../text/block.js'
import type { FieldMapping } from '../text/mapping.js'
import { blockCredit } from './block-credit.js'
import { blocks } from './blocks.js'
import { localShards, stdinShard } from './local-shards.js'
import { type FieldOptions, mappingOf } from './presets.js'
import { type ReadOptions, readOptions } from './read-options.js'
import type { Shard } from './shard.js'

/** Limit of the bytes in a graph of blocks from one source, and of everything made from them. */
const inFlightBytesMax = 256 * 1024 * 1024
/** Size of the first block: the first rows come early, while the code of the threads is not compiled yet. */
const firstBlockBytes = 64 * 1024

/** Options that all sources have; all optional. */
export interface BlockSourceOptions extends FieldOptions, Partial<ReadOptions> {
  /** Name of the source in rows; part of their ids. 'text' by default. */
  readonly split?: string | undefined
  /** Format of the files, if it cannot be detected. */
  readonly format?: Shard['format']
  /** Bytes in flight between this source and the sink; 256 MiB by default. */
  readonly inFlightBytesMax?: number
  /** Blocks in shared memory: for a graph whose next stage is `prepare`, which returns it. False by default. */
  readonly shared?: boolean
  /** Parquet: all columns instead of the mapped ones, for output that is to hold whole records. False by default. */
  readonly allColumns?: boolean
}

interface Listed {
  readonly shards: readonly Shard[]
  readonly close?: () => Promise<void>
}

/** Blocks of files on disk: JSON Lines, JSON, tar, Parquet or Arrow, plain or compressed, detected from their bytes. */
export function localSource(
  options: BlockSourceOptions & {
    /** Globs; one that begins with `!` excludes. */
    readonly files: string | readonly string[]
    /** Directory of relative globs; the working directory by default. */
    readonly root?: string
  },
): Source<Block> {
  const { files, root = process.cwd() } = options
  return blockSource(options, async (split, mapping) => ({
    shards: await localShards({ split, root, files: typeof files === 'string' ? [files] : files, mapping }),
  }))
}

/** Blocks of standard input, or of another readable stream. It can be read once; Parquet is not supported. */
export function stdinSource(options: BlockSourceOptions & { readonly input?: Readable } = {}): Source<Block> {
  const { input = process.stdin } = options
  return blockSource(options, async (split, mapping) => ({ shards: [stdinShard({ split, mapping, input })] }))
}

/** Blocks of a readable stream in the Arrow IPC format. Memory: one record batch. */
export function arrowSource(options: BlockSourceOptions & { readonly input: Readable }): Source<Block> {
  return stdinSource({ ...options, format: 'arrow' })
}

/** Blocks of a dataset on the Hub, at the commit of `revision`. Backpressure from the graph slows the transfer. */
export function hubSource(
  options: BlockSourceOptions & {
    /** `owner/name` of a dataset. */
    readonly repo: string
    /** Globs on paths in the repository; one that begins with `!` excludes. */
    readonly files: string | readonly string[]
    /** Branch, tag or commit; 'main' by default. */
    readonly revision?: string | undefined
    /** HF_TOKEN or the token file by default. */
    readonly token?: string | undefined
    readonly hubUrl?: string | undefined
    /** Folder that keeps whole shards; nothing is written by default. */
    readonly cache?: string | undefined
    /** Reports outages of the Hub. */
    readonly onEvent?: (message: string) => void
  },
): Source<Block> {
  const { repo, files, revision, token, hubUrl, cache, onEvent = () => undefined } = options
  return blockSource(options, async (split, mapping) => {
    const [{ hubShards }, { hubSettings }, { hubTransport }, { reportWaits }] = await Promise.all([
      import('./hub-shards.js'),
      import('../hub/settings.js'),
      import('../hub/transport.js'),
      import('../http/retry-messages.js'),
    ])
    const transport = hubTransport(hubSettings({ token, hubUrl }), reportWaits(onEvent))
    const close = (): Promise<void> => transport.close()
    try {
      const { shards } = await hubShards({ repo, files, split, mapping, revision, token, hubUrl, cache, transport })
      return { shards, close }
    } catch (error) {
      return closeAfter(error, [close])
    }
  })
}

/** Blocks of shards that `list` lists when the graph starts. */
export function blockSource(
  options: BlockSourceOptions,
  list: (split: string, mapping: FieldMapping) => Promise<Listed>,
): Source<Block> {
  const { split = 'text', format, inFlightBytesMax: bytesMax = inFlightBytesMax } = options
  const { shared = false, allColumns = false } = options
  const given = Object.entries(options).filter(([name]) => Object.hasOwn(readOptions.shape, name))
  const reading = readOptions.parse({ order: 'in-order', ...Object.fromEntries(given) })
  const unhashed = { shared, allColumns, hashed: false }
  const credit = blockCredit(new Credit('bytes of blocks', bytesMax))
  return sourceOf({ name: 'read', unit: 'block', credit }, async function* (signal) {
    const { shards, close } = await list(split, mappingOf(options))
    const formatted = format === undefined ? shards : shards.map((shard) => ({ ...shard, format }))
    try {
      for await (const { block } of blocks(formatted, { ...reading, ...unhashed, firstBlockBytes, signal })) yield block
    } finally {
      await close?.()
    }
  })
}
