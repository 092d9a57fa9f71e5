/**
 * Finding the replies that a directory holds: which segments there are, what a killed run left half done, every key.
 * A pack beside its log means that the log was to be deleted; a temporary file that packing was cut off.
 */
import { join } from 'node:path'
import { openAppendLog, readAppendLog } from '../core/append-log.js'
import { type FileLayer, temporarySuffix } from '../core/files.js'
import { entryBlock, entryKey, LOG_HEADER, readPackKeys } from './reply-pack.js'
import { logSegment, type PackCache, packSegment, type Segment } from './reply-segments.js'

/** What a directory of replies holds. */
export interface FoundSegments {
  /** The name that the next log of this directory may have. */
  readonly nextName: number
  /** Logs that a run left open or did not come to pack. */
  readonly unpacked: readonly Segment[]
}

/** What `findSegments` is told. */
export interface RecoveryOptions {
  readonly files: FileLayer
  readonly directory: string
  /** The run's own: leftovers are deleted and torn tails cut. Another's is only read. */
  readonly own: boolean
  /** The store's segments; those found are appended, each at the place of its number. */
  readonly segments: (Segment | null)[]
  readonly cache: PackCache
  readonly onKey: (key: Uint8Array, segment: number, offset: number) => void
}

/** @throws {CorruptFileError} a segment is damaged before its end */
export async function findSegments(options: RecoveryOptions): Promise<FoundSegments> {
  const { files, directory, own, segments } = options
  const unpacked: Segment[] = []
  let nextName = 0
  const names = await files.list(directory)
  for (const name of names) {
    if (own && name.endsWith(temporarySuffix)) await files.remove(join(directory, name))
    const match = /^(\d{6,})\.(log|pack)$/.exec(name)
    if (match === null) continue
    const [, digits, kind] = match as unknown as [string, string, 'log' | 'pack']
    nextName = Math.max(nextName, Number(digits) + 1)
    const path = join(directory, name)
    if (kind === 'log' && names.includes(`${digits}.pack`)) {
      if (own) await files.remove(path)
      continue
    }
    const segment = kind === 'pack' ? await oldPack(path, options) : await oldLog(path, options)
    if (segment === null) continue
    segments.push(segment)
    if (kind === 'log') unpacked.push(segment)
  }
  return { nextName, unpacked }
}

async function oldPack(path: string, { files, own, segments, cache, onKey }: RecoveryOptions): Promise<Segment> {
  const number = segments.length
  let lastBlock = -1
  const codec = await readPackKeys(files, path, (key, block, offset) => {
    lastBlock = Math.max(lastBlock, block)
    onKey(key, number, offset)
  })
  return packSegment({ number, path, own, files, lastBlock, codec, cache })
}

/** Cut at its torn tail; null, and deleted, when it was opened and closed before a reply came. */
async function oldLog(path: string, { files, own, segments, onKey }: RecoveryOptions): Promise<Segment | null> {
  const number = segments.length
  let lastBlock = -1
  const onRecord = (payload: Uint8Array, offset: number) => {
    lastBlock = Math.max(lastBlock, entryBlock(payload))
    onKey(entryKey(payload), number, offset)
  }
  if (own) {
    const log = await openAppendLog({ files, path, header: LOG_HEADER, onRecord })
    await log.close()
  } else await readAppendLog({ files, path }, onRecord)
  if (own && lastBlock < 0) {
    await files.remove(path)
    return null
  }
  const segment = logSegment({ number, path, own, files })
  segment.lastBlock = lastBlock
  return segment
}
