/** Checks the committed part of the dedup log and the texts log of a run, without changing them. */

import { join } from 'node:path'
import { KunStreamError } from '../errors.js'
import { readAppendLog } from '../storage/append-log.js'
import type { FileLayer } from '../storage/files.js'
import { frameHeadBytes } from '../storage/frames.js'
import { dedupLogName, dedupTextsSuffix } from '../storage/run-layout.js'
import { decodeKept } from './kept-frames.js'

/** A log that does not contain its committed data. */
interface DedupFault {
  /** File name in the directory. */
  readonly name: string
  readonly what: string
}

/**
 * @param committedBytes length of the log at the last cut; bytes after it belong to the open cut and are not checked
 */
export async function checkDedupLogs(
  files: FileLayer,
  directory: string,
  committedBytes: number,
): Promise<DedupFault[]> {
  if (committedBytes === 0) return []
  const faults: DedupFault[] = []
  let textsBytes = 0
  let endBytes = 0
  const check = async (name: string, wantedBytes: number, onRecord: (payload: Uint8Array, offset: number) => void) => {
    const path = join(directory, name)
    try {
      const size = await files.sizeBytes(path)
      if (size === null) faults.push({ name, what: 'it is missing' })
      if (size === null) return
      const { bytes, damage } = await readAppendLog({ files, path, untilBytes: wantedBytes }, onRecord)
      const offset = damage?.offset ?? bytes
      if (damage === null && bytes === wantedBytes) return
      const cut = size < wantedBytes && damage === null ? `it ends at byte ${size}` : `it is damaged at byte ${offset}`
      faults.push({ name, what: `${cut}, and ${wantedBytes} bytes were committed` })
    } catch (error) {
      if (!(error instanceof KunStreamError)) throw error
      faults.push({ name, what: error.message })
    }
  }
  await check(dedupLogName, committedBytes, (payload, offset) => {
    const kept = decodeKept(payload)
    endBytes = offset + frameHeadBytes + payload.length
    textsBytes = kept.textsBytes
  })
  if (endBytes > 0 && textsBytes > 0) await check(dedupLogName + dedupTextsSuffix, textsBytes, () => undefined)
  return faults
}
