/** Hashes of the indexes that a run is deduplicated against: they determine which documents are dropped. */
import { createHash } from 'node:crypto'
import { type FileLayer, nodeFiles } from '../storage/files.js'
import { findLog, textsPath } from './open-index.js'

const readBytes = 1024 * 1024

/** An entry of `dedup.against`. JSON-safe. */
interface AgainstHashes {
  /** Path as in the recipe. */
  readonly name: string
  /** sha256 of the index: 64 hexadecimal digits. */
  readonly index: string
  /** sha256 of the kept texts, which verify near-duplicates; null if there are none. */
  readonly texts: string | null
}

/**
 * Hashes each index and its texts, in the given order.
 *
 * @throws {SourceNotFoundError} a file that `against` names does not exist
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
