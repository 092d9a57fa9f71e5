/** What pins the indexes of earlier runs that this one is deduplicated against: they decide which documents are dropped. */
import { createHash } from 'node:crypto'
import { type FileLayer, nodeFiles } from '../core/files.js'
import { findLog, textsPath } from './open.js'

const readBytes = 1024 * 1024

/** One of `dedup.against`. JSON-safe. */
export interface AgainstHashes {
  /** As the recipe has it. */
  readonly name: string
  /** Of the index: 64 hexadecimal digits. */
  readonly index: string
  /** Of the kept texts, by which near-duplicates are verified; null where there are none. */
  readonly texts: string | null
}

/**
 * Hashes of every index and its texts, in the order given. Reads each file once.
 *
 * @throws {SourceNotFoundError} `against` names nothing that is there
 */
export async function againstHashes(
  against: readonly string[],
  files: FileLayer = nodeFiles,
): Promise<AgainstHashes[]> {
  const found: AgainstHashes[] = []
  for (const name of against) {
    const path = await findLog(files, name)
    const texts = textsPath(path)
    const hasTexts = (await files.sizeBytes(texts)) !== null
    found.push({ name, index: await hashOf(files, path), texts: hasTexts ? await hashOf(files, texts) : null })
  }
  return found
}

async function hashOf(files: FileLayer, path: string): Promise<string> {
  const hash = createHash('sha256')
  const file = await files.open(path, 'read')
  try {
    let offset = 0
    for (;;) {
      const bytes = await file.read(offset, readBytes)
      if (bytes.length === 0) break
      hash.update(bytes)
      offset += bytes.length
    }
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}
