/**
 * Detects in mid-run that committed parts were deleted: the parts in data/ and rejects/ are counted at commits, which
 * costs a listing of two directories and no memory. Which part is missing is looked up only then.
 */
import { join } from 'node:path'
import { CorruptFileError } from '../errors.js'
import { type FileLayer, temporarySuffix } from '../storage/files.js'
import { manifestName, partFolders, partName } from '../storage/run-layout.js'
import { readManifest } from './manifest.js'

/**
 * Names listed for a commit, on average: with more parts, only every so many commits are checked. 10,000 names take 9 ms of
 * the processor, so that a commit costs 2 ms at most and a deletion among 10,000 parts is noticed within 5 commits.
 */
const listedPerCommitMax = 2_000

export class PartCount {
  #commits = 0

  private constructor(
    private readonly files: FileLayer,
    private readonly directory: string,
    private count: number,
  ) {}

  /** Counts the existing parts; call it after recovery, which leaves committed parts only. */
  static async open(files: FileLayer, directory: string): Promise<PartCount> {
    return new PartCount(files, directory, await countParts(files, directory))
  }

  /**
   * Adds the parts of a cut, which have their names already.
   *
   * @throws {CorruptFileError} earlier ones are gone; the message names the first
   */
  async add(parts: number): Promise<void> {
    this.count += parts
    if (this.#commits++ % Math.ceil((this.count + 1) / listedPerCommitMax) !== 0) return
    const found = await countParts(this.files, this.directory)
    if (found < this.count) throw await this.#missing(this.count - found)
  }

  async #missing(parts: number): Promise<CorruptFileError> {
    const repair =
      'The run stops and commits nothing more. Restore it from a backup or a mirror, or build the dataset again from the kept ' +
      'replies (kun-stream rebuild).'
    for (const { files } of await readManifest(this.directory, this.files)) {
      for (const { path } of files) {
        if ((await this.files.sizeBytes(join(this.directory, path))) !== null) continue
        return new CorruptFileError(`${path} was committed and was deleted while the run was under way. ${repair}`, {
          details: { path, parts },
        })
      }
    }
    return new CorruptFileError(
      `${parts} parts of this cut, or the lines of ${manifestName} about others, were deleted while the run was under way. ${repair}`,
      { details: { path: this.directory, parts } },
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
