/** Puts the parts of a result into a run directory and commits them, in the order that survives a crash at any point. */
import { dirname, join } from 'node:path'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import type { CutFile } from '../parquet/part-writer.js'
import type { Counters } from '../run/accounting.js'
import { appendToManifest, type ManifestEntry, type RunDirectory } from '../sinks/index.js'
import { copyFileDurably } from '../storage/copy-file.js'
import { linkUnsupported, renameExclusively } from '../storage/exclusive-rename.js'
import { errnoOf, makeDurableDirectory, sha256Of, temporarySuffix } from '../storage/files.js'
import { partFolders } from '../storage/run-layout.js'
import { attemptPrefix } from './unit-keys.js'
import type { PlanLine } from './unit-plan.js'
import type { UnitResult } from './unit-result.js'

export class CutAssembler {
  readonly #store: ObjectStore
  readonly #directory: RunDirectory
  #hasFolders = false

  constructor(store: ObjectStore, directory: RunDirectory) {
    this.#store = store
    this.#directory = directory
  }

  /**
   * Adds a cut.
   *
   * @param counters cumulative, with those of the cut
   * @throws {CorruptFileError} a part of the result is missing or not the one that was committed
   */
  async add(line: PlanLine, result: UnitResult, counters: Counters): Promise<ManifestEntry> {
    const { files, directory, lock } = this.#directory
    if (!this.#hasFolders) {
      for (const folder of partFolders) await makeDurableDirectory(files, join(directory, folder))
      this.#hasFolders = true
    }
    for (const part of result.files) await this.#place(result, part)
    for (const folder of new Set(result.files.map(({ path }) => dirname(path)))) {
      await files.fsyncDirectory(join(directory, folder))
    }
    const { cut, blocks, cursor, inputs, dedupLogBytes } = line
    const parts = [...result.files].sort((a, b) => (a.path < b.path ? -1 : 1))
    const entry: ManifestEntry = {
      ...{ cut, blocks, cursor, inputs, dedupLogBytes, counters: { ...counters } },
      files: parts.map(({ path, split, rows, bytes, sha256 }) => ({ path, split, rows, bytes, sha256 })),
    }
    await lock.confirm()
    await appendToManifest(files, directory, entry)
    await lock.confirm()
    return entry
  }

  /** @throws {CorruptFileError} a part of the result is missing or not the one that was committed */
  async check(result: UnitResult): Promise<void> {
    const copy = join(this.#directory.directory, `part${temporarySuffix}`)
    for (const part of result.files) {
      const source = this.#sourceOf(result, part)
      if (source !== null) await this.#mustBe(source, part)
      else {
        if (!(await this.#store.getFile(keyOf(result, part), copy))) throw this.#damaged(part, say`it is missing`)
        await this.#mustBe(copy, part)
      }
    }
    await this.#directory.files.remove(copy)
  }

  /** Links the part, or copies it from a bucket or another file system. */
  async #place(result: UnitResult, part: CutFile): Promise<void> {
    const { files, directory } = this.#directory
    const target = join(directory, part.path)
    const source = this.#sourceOf(result, part)
    if (source !== null) {
      await this.#mustBe(source, part)
      try {
        return await files.link(source, target)
      } catch (error) {
        const errno = errnoOf(error) ?? ''
        // Recovery deleted the parts that no line names: after EEXIST the link is ours, and its answer was lost.
        if (errno === 'EEXIST') return this.#mustBe(target, part)
        if (errno !== 'EXDEV' && !linkUnsupported.has(errno)) throw error
      }
    }
    const temporary = target + temporarySuffix
    await files.remove(temporary)
    if (source !== null) await copyFileDurably(files, source, temporary)
    else if (!(await this.#store.getFile(keyOf(result, part), temporary))) throw this.#damaged(part, say`it is missing`)
    await this.#mustBe(temporary, part)
    if (!(await renameExclusively(files, temporary, target))) await this.#mustBe(target, part)
  }

  #sourceOf({ unit, attempt }: UnitResult, { path }: CutFile): string | null {
    return this.#store.directory === null ? null : join(this.#store.directory, attemptPrefix(unit, attempt), path)
  }

  async #mustBe(path: string, part: CutFile): Promise<void> {
    const { files } = this.#directory
    const found = await files.sizeBytes(path)
    if (found === null) throw this.#damaged(part, say`it is missing`)
    if (found !== part.bytes) throw this.#damaged(part, say`it has ${found} bytes, ${part.bytes} were committed`)
    if ((await sha256Of(files, path, found)) !== part.sha256) throw this.#damaged(part, say`its sha256 differs`)
  }

  #damaged({ path }: CutFile, what: string): CorruptFileError {
    return new CorruptFileError(say`${path} is damaged: ${what}. The unit must be generated again`, {
      details: { path },
    })
  }
}

function keyOf({ unit, attempt }: UnitResult, { path }: CutFile): string {
  return attemptPrefix(unit, attempt) + path
}
