/** Texts of kept documents, read back by offset: of this run from its own log, of earlier runs from theirs. */
import type { AppendLog } from '../storage/append-log.js'
import type { FileLayer, OpenFile } from '../storage/files.js'
import { corrupt, frameHeadBytes, parseFrame } from '../storage/frames.js'

export interface TextSource {
  /** @throws {CorruptFileError} no whole text begins there */
  read(offset: number): Promise<string>
  close(): Promise<void>
}

export function logTexts(log: AppendLog): TextSource {
  return {
    read: async (offset) => Buffer.from(await log.read(offset)).toString('utf8'),
    close: () => log.close(),
  }
}

/** Read first: most texts fit, the others take a second reading. */
const firstReadBytes = 8192

/** Never writes: the log belongs to another run. */
export async function earlierTexts(files: FileLayer, path: string): Promise<TextSource> {
  const file: OpenFile = await files.open(path, 'read')
  return {
    async read(offset) {
      let frame = parseFrame(await file.read(offset, firstReadBytes), 0, offset)
      if (typeof frame === 'number' && frame > frameHeadBytes)
        frame = parseFrame(await file.read(offset, frame), 0, offset)
      if (frame === null || typeof frame === 'number') throw corrupt(path, offset, 'no whole text begins there')
      return Buffer.from(frame).toString('utf8')
    },
    close: () => file.close(),
  }
}
