/**
 * Finding the replies that a directory holds: which segments there are, what a killed run left half done, every key.
 * A pack beside its log means that the log was to be deleted; a temporary file that packing was cut off.
 */

import { join } from 'node:path'
import { type LogDamage, openAppendLog, readAppendLog, salvageAppendLog } from '../append-log.js'
import { type FileLayer, temporarySuffix } from '../files.js'
import { replySegmentName } from '../run-layout.js'
import { entryBlock, entryKey, logHeader, packHeader, readPackKeys } from './reply-pack.js'
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
  readonly onWarning: (message: string) => void
}

/**
 * Skips and reports damaged entries, and rewrites the run's own segments without them.
 *
 * @throws {CorruptFileError} a file named as a segment holds nothing of one
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

/** Returns null if it has no entry; then deletes it if it is the run's own. */
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

/** Cut at its torn tail; null, and deleted, when it holds no entry. */
async function oldLog(path: string, options: RecoveryOptions): Promise<Segment | null> {
  const { files, own, segments, onWarning } = options
  const keys = new FoundKeys()
  const onRecord = (payload: Uint8Array, offset: number) => keys.add(entryKey(payload), entryBlock(payload), offset)
  const { damage, tornBytes } = await readAppendLog({ files, path }, onRecord)
  if (damage !== null) onWarning(damageText(path, damage, 'reply'))
  if (tornBytes > 0 && own) {
    onWarning(`${path}: its last ${tornBytes} bytes are not a whole reply, left by a crash or damaged; they are cut`)
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
  return `${path}: ${which} skipped at byte ${offset} (${bytes} bytes in all); what it held is requested again where it is needed`
}

/** Keys of one segment, until it is known that it needs no rewrite. */
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
