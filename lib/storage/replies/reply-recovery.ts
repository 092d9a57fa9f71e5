/**
 * Finds the segments of a directory of replies and their keys, and cleans up after a killed run: a log beside its pack
 * is deleted, and so is the temporary file of an interrupted packing.
 */

import { join } from 'node:path'
import { type LogDamage, openAppendLog, readAppendLog, salvageAppendLog } from '../append-log.js'
import { type FileLayer, temporarySuffix } from '../files.js'
import { replySegmentName } from '../run-layout.js'
import { entryBlock, entryKey, logHeader, packHeader, readPackKeys } from './reply-pack.js'
import { logSegment, type PackCache, packSegment, type Segment } from './reply-segments.js'

/** Segments of a directory of replies. */
interface FoundSegments {
  /** Number of the next log of this directory. */
  readonly nextName: number
  /** Logs that were left open or not packed. */
  readonly unpacked: readonly Segment[]
}

/** Options for `findSegments`. */
interface RecoveryOptions {
  readonly files: FileLayer
  readonly directory: string
  /** Whether it is the run's own directory: then leftovers are deleted and torn tails truncated. Others are only read. */
  readonly own: boolean
  /** Segments of the store, to which those found are appended. */
  readonly segments: (Segment | null)[]
  readonly cache: PackCache
  readonly onKey: (key: Uint8Array, segment: number, offset: number) => void
  readonly onWarning: (message: string) => void
}

/**
 * Skips and reports damaged entries, and rewrites the run's own segments without them.
 *
 * @throws {CorruptFileError} a file with the name of a segment has no valid frame
 */
export async function findSegments(options: RecoveryOptions): Promise<FoundSegments> {
  const { files, directory, own, segments } = options
  const unpacked: Segment[] = []
  let nextName = 0
  const names = await files.list(directory)
  for (const name of names) {
    if (own && name.endsWith(temporarySuffix)) await files.remove(join(directory, name))
    const match = replySegmentName.exec(name)
    if (match === null) continue
    const [, digits, kind] = match
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

/** Opens a pack. Returns null if it has no entry, and deletes it if it is the run's own. */
async function oldPack(path: string, options: RecoveryOptions): Promise<Segment | null> {
  const { files, own, segments, cache, onWarning } = options
  const keys = new FoundKeys()
  let { codec, damage } = await readPackKeys(files, path, keys.add)
  if (damage !== null) onWarning(damageText(path, damage, 'block of replies'))
  if (damage !== null && own && codec !== null) {
    keys.clear()
    await salvageAppendLog(files, path, packHeader(codec))
    ;({ codec, damage } = await readPackKeys(files, path, keys.add))
  }
  if (codec === null || keys.lastBlock < 0) {
    if (own) await files.remove(path)
    return null
  }
  const { lastBlock } = keys.report(segments.length, options)
  return packSegment({ number: segments.length, path, own, files, lastBlock, codec, cache })
}

/** Opens a log without its torn tail. Returns null if it has no entry, and deletes it if it is the run's own. */
async function oldLog(path: string, options: RecoveryOptions): Promise<Segment | null> {
  const { files, own, segments, onWarning } = options
  const keys = new FoundKeys()
  const onRecord = (payload: Uint8Array, offset: number) => keys.add(entryKey(payload), entryBlock(payload), offset)
  const { damage, tornBytes } = await readAppendLog({ files, path }, onRecord)
  if (damage !== null) onWarning(damageText(path, damage, 'reply'))
  if (tornBytes > 0 && own) {
    onWarning(
      `${path}: its last ${tornBytes} bytes are not a complete reply, left by a crash or damaged; they are truncated`,
    )
  }
  if (own) {
    if (damage !== null) await salvageAppendLog(files, path, logHeader)
    keys.clear()
    const log = await openAppendLog({ files, path, header: logHeader, onRecord })
    await log.close()
    if (keys.lastBlock < 0) {
      await files.remove(path)
      return null
    }
  }
  const segment = logSegment({ number: segments.length, path, own, files })
  segment.lastBlock = keys.report(segments.length, options).lastBlock
  return segment
}

function damageText(path: string, { count, bytes, offset }: LogDamage, what: string): string {
  const which =
    count === 1 ? `1 damaged ${what}` : `${count} damaged ${what.replace(/y$/, 'ie').replace(/k of/, 'ks of')}`
  return `${path}: ${which} skipped at byte ${offset} (${bytes} bytes in all); its replies are requested again if they are needed`
}

/** Keys of one segment, collected until it is known that the segment needs no rewrite. */
class FoundKeys {
  #keys: Uint8Array[] = []
  #offsets: number[] = []
  lastBlock = -1

  readonly add = (key: Uint8Array, block: number, offset: number): void => {
    this.#keys.push(Uint8Array.prototype.slice.call(key))
    this.#offsets.push(offset)
    this.lastBlock = Math.max(this.lastBlock, block)
  }

  clear(): void {
    this.#keys = []
    this.#offsets = []
    this.lastBlock = -1
  }

  report(segment: number, { onKey }: RecoveryOptions): this {
    for (const [i, key] of this.#keys.entries()) onKey(key, segment, this.#offsets[i] as number)
    return this
  }
}
