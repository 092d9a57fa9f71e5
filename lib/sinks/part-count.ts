/**
 * Detects that committed parts were deleted during a run: the parts in data/ and rejects/ are counted at commits, which
 * lists two directories and needs no memory. The missing part is looked up only if the count is too low.
 */
import { join } from 'node:path'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import { type FileLayer, temporarySuffix } from '../storage/files.js'
import { manifestName, partFolders, partName } from '../storage/run-layout.js'
import { readManifest } from './manifest.js'

/**
 * Names listed for a commit, on average: with more parts, not every commit is checked. 10,000 names take 9 ms of
 * the processor, so that a commit costs 2 ms at most and a deletion among 10,000 parts is noticed within 5 commits.
 */
const listedPerCommitMax = 2_000

export class PartCount {
  readonly #files: FileLayer
  readonly #directory: string
  #count: number
  #commits = 0

  private constructor(files: FileLayer, directory: string, count: number) {
    this.#files = files
    this.#directory = directory
    this.#count = count
  }

  /** Counts the existing parts. Call it after recovery, when only committed parts are left. */
  static async open(files: FileLayer, directory: string): Promise<PartCount> {
    return new PartCount(files, directory, await countParts(files, directory))
  }

  /**
   * Adds the parts of a cut, after they were renamed.
   *
   * @throws {CorruptFileError} earlier parts were deleted; the message names the first one
   */
  async add(parts: number): Promise<void> {
    this.#count += parts
    if (this.#commits++ % Math.ceil((this.#count + 1) / listedPerCommitMax) !== 0) return
    const found = await countParts(this.#files, this.#directory)
    if (found < this.#count) throw await this.#missing(this.#count - found)
  }

  async #missing(parts: number): Promise<CorruptFileError> {
    const repair =
      'The run stops and commits nothing more. Restore it from a backup or a mirror, or rebuild the dataset from the kept ' +
      'replies (kun-stream rebuild).'
    for (const { files } of await readManifest(this.#directory, this.#files)) {
      for (const { path } of files) {
        if ((await this.#files.sizeBytes(join(this.#directory, path))) !== null) continue
        return new CorruptFileError(say`${path} was committed and was deleted during the run. ${repair}`, {
          details: { path, parts },
        })
      }
    }
    return new CorruptFileError(
      say`${parts} parts of this cut, or the lines of ${manifestName} about others, were deleted during the
        run. ${repair}`,
      { details: { path: this.#directory, parts } },
    )
  }
}

async function countParts(files: FileLayer, directory: string): Promise<number> {
  let count = 0
  for (const folder of partFolders) {
    for (const name of await files.list(join(directory, folder))) {
      if (partName.test(name) && !name.endsWith(temporarySuffix)) count++
    }
  }
  return count
}
