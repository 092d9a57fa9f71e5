/** Checks the replies of a run directory without changing them: every frame of every segment. */

import { join } from 'node:path'
import { KunStreamError } from '../../errors.js'
import { readAppendLog } from '../append-log.js'
import type { FileLayer } from '../files.js'
import { replySegmentName } from '../run-layout.js'
import { type Codec, readPackKeys, unpackFrame } from './reply-pack.js'

/** A damaged segment. */
interface ReplyFault {
  /** Name in the directory. */
  readonly name: string
  readonly what: string
  /** True for an incomplete last entry, as left by a crash; false for damage. */
  readonly torn: boolean
}

/** Checks all segments; decompresses packs, so it takes about as long as reading the replies. Memory: one block. */
export async function checkReplies(files: FileLayer, directory: string): Promise<ReplyFault[]> {
  const faults: ReplyFault[] = []
  for (const name of await files.list(directory)) {
    const kind = replySegmentName.exec(name)?.[2]
    if (kind === undefined) continue
    const path = join(directory, name)
    try {
      faults.push(...(kind === 'log' ? await checkLog(files, path, name) : await checkPack(files, path, name)))
    } catch (error) {
      if (!(error instanceof KunStreamError)) throw error
      faults.push({ name, what: error.message, torn: false })
    }
  }
  return faults
}

async function checkLog(files: FileLayer, path: string, name: string): Promise<ReplyFault[]> {
  const { damage, tornBytes, bytes } = await readAppendLog({ files, path }, () => undefined)
  const faults: ReplyFault[] = []
  if (damage !== null) {
    const what = `${damage.bytes} bytes are damaged, the first at byte ${damage.offset}; the replies before and after them are intact`
    faults.push({ name, what, torn: false })
  }
  if (tornBytes > 0) {
    faults.push({ name, what: `its last ${tornBytes} bytes, from byte ${bytes}, are not a complete reply`, torn: true })
  }
  return faults
}

async function checkPack(files: FileLayer, path: string, name: string): Promise<ReplyFault[]> {
  const { codec, damage } = await readPackKeys(files, path, () => undefined)
  const faults: ReplyFault[] = []
  if (damage !== null) {
    faults.push({ name, what: `${damage.bytes} bytes are damaged, the first at byte ${damage.offset}`, torn: false })
  }
  if (codec === null) return faults
  await readAppendLog({ files, path }, async (payload, offset) => {
    const what = await unpackFrame(payload, codec as Codec, path).then(
      () => null,
      (error: Error) => error.message,
    )
    if (what !== null) faults.push({ name, what: `${what}, at byte ${offset}`, torn: false })
  })
  return faults
}
