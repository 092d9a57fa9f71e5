/**
 * Recovers a run directory to its last commit: truncates a torn manifest line, checks the committed files, and deletes the
 * parts that no line names. Can be killed at any point and run again.
 */

import { join } from 'node:path'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import type { CutFile } from '../parquet/part-writer.js'
import { type OnStep, runStep } from '../storage/commit-steps.js'
import { type FileLayer, nodeFiles, temporarySuffix } from '../storage/files.js'
import { discardedManifestName, manifestName, partFolders, partName, statsName } from '../storage/run-layout.js'
import { type ManifestScan, scanManifest, settleManifest } from './manifest.js'
import { changedPart, mustBeCommitted } from './part-check.js'
import type { ManifestEntry } from './types.js'

interface RecoveryOptions {
  readonly files?: FileLayer
  readonly onStep?: OnStep
  /** Time of the last commit; null takes the mtime of the manifest. */
  readonly committedMs?: number | null
  /** Returns whether the last cut, which a limit of rows ended, is dropped; its line must have `rowsMax`. */
  readonly reopens?: (last: ManifestEntry) => boolean
}

/**
 * @returns the last committed cut, or null if there is none
 * @throws {CorruptFileError} a committed file is missing or was changed, or the manifest is damaged or lost lines
 */
export async function recoverRunDirectory(
  directory: string,
  { files = nodeFiles, onStep, committedMs: given = null, reopens }: RecoveryOptions = {},
): Promise<ManifestEntry | null> {
  const found = await scanManifest(directory, files)
  if ((await files.sizeBytes(join(directory, discardedManifestName))) === null) {
    await mustNameAll(files, directory, found.entries.length)
  }
  const dropsLast = isReopened(found.entries.at(-1), reopens)
  // Its counters are of the dropped cut; it is written again when the run ends.
  if (dropsLast) await files.remove(join(directory, statsName))
  const scan = dropsLast ? withoutLast(found) : found
  const { entries } = scan
  const committedMs = given ?? (await files.modifiedMs(join(directory, manifestName))) ?? 0
  const named = new Set<string>()
  for (const { files: parts } of entries) {
    for (const part of parts) {
      named.add(part.path)
      await mustBeAsCommitted(files, directory, part, committedMs)
    }
  }
  await settleManifest(files, directory, scan, onStep)
  for (const folder of partFolders) await deleteUnnamed(files, directory, folder, named, onStep)
  for (const name of await files.list(directory)) {
    if (name.endsWith(temporarySuffix)) await files.remove(join(directory, name))
  }
  return entries.at(-1) ?? null
}

/** Returns whether the last cut is dropped: only one that a limit of rows ended can be. */
export function isReopened(last: ManifestEntry | undefined, reopens: RecoveryOptions['reopens']): boolean {
  return last?.rowsMax !== undefined && reopens?.(last) === true
}

/** The parts of the cut are then named by no line, and are deleted as those of an unfinished cut. */
function withoutLast({ entries, lastLineOffset, ...scan }: ManifestScan): ManifestScan {
  return { ...scan, entries: entries.slice(0, -1), wholeBytes: lastLineOffset, lastLineOffset, lacksNewline: false }
}

/** Compares the size, and the content of a part that was modified after its commit. */
async function mustBeAsCommitted(
  files: FileLayer,
  directory: string,
  part: CutFile,
  committedMs: number,
): Promise<void> {
  const file = join(directory, part.path)
  const found = await files.sizeBytes(file)
  if (found !== part.bytes) throw changedPart(directory, part, found)
  if (((await files.modifiedMs(file)) ?? 0) > committedMs) await mustBeCommitted(directory, part, files)
}

/** A killed run leaves parts of the cut after its last line; parts of a later cut mean that lines were lost. */
async function mustNameAll(files: FileLayer, directory: string, cuts: number): Promise<void> {
  for (const folder of partFolders) {
    for (const name of await files.list(join(directory, folder))) {
      const cut = Number(partName.exec(name)?.groups?.cut ?? 0)
      if (cut > cuts) throw lostLines(directory, cuts, `${folder}/${name}`)
    }
  }
}

/** Builds the error for a manifest that has fewer cuts than the parts. */
export function lostLines(directory: string, cuts: number, part: string): CorruptFileError {
  return new CorruptFileError(
    say`${join(directory, manifestName)} has ${cuts} lines, but ${part} belongs to a later cut: lines at its
      end were lost. Restore the file from a backup or a mirror, or delete the run to start over: \`run
      --fresh --force\` keeps the replies.`,
    { details: { path: join(directory, manifestName), cuts, part } },
  )
}

async function deleteUnnamed(
  files: FileLayer,
  directory: string,
  folder: string,
  named: ReadonlySet<string>,
  onStep: OnStep | undefined,
): Promise<void> {
  let deleted = 0
  for (const name of await files.list(join(directory, folder))) {
    const path = `${folder}/${name}`
    // Other files are not deleted; verify reports them.
    if (named.has(path) || !partName.test(name)) continue
    await runStep(onStep, 'recover-delete', path, () => files.remove(join(directory, path)))
    deleted++
  }
  if (deleted === 0) return
  await runStep(onStep, 'recover-fsync', folder, () => files.fsyncDirectory(join(directory, folder)))
}
