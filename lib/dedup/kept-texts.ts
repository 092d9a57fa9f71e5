/** Texts of kept documents, read by their offset in the texts log of this run or of an earlier one. */
import type { AppendLog } from '../storage/append-log.js'
import type { FileLayer, OpenFile } from '../storage/files.js'
import { corrupt, frameHeadBytes, parseFrame } from '../storage/frames.js'

export interface TextSource {
  /** @throws {CorruptFileError} no complete text begins at the offset */
  read(offset: number): Promise<string>
  close(): Promise<void>
}

export function logTexts(log: AppendLog): TextSource {
  return {
    read: async (offset) => Buffer.from(await log.read(offset)).toString('utf8'),
    close: () => log.close(),
  }
}

/** Bytes of the first read, in which most texts fit; longer ones take a second read. */
const firstReadBytes = 8192

/** Opens the texts log of another run, read-only. */
export async function earlierTexts(files: FileLayer, path: string): Promise<TextSource> {
  const file: OpenFile = await files.open(path, 'read')
  return {
    async read(offset) {
      let frame = parseFrame(await file.read(offset, firstReadBytes), 0, offset)
      if (typeof frame === 'number' && frame > frameHeadBytes)
        frame = parseFrame(await file.read(offset, frame), 0, offset)
      if (frame === null || typeof frame === 'number') throw corrupt(path, offset, 'no complete text begins there')
      return Buffer.from(frame).toString('utf8')
    },
    close: () => file.close(),
  }
}
