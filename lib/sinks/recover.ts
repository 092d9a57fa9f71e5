/**
 * Brings a run directory to its last commit: cuts a torn manifest line, checks that the files it names are there,
 * and deletes the parts that no line names. May be killed at any point and run again.
 */
import { join } from 'node:path'
import { type FileLayer, nodeFiles, temporarySuffix } from '../core/files.js'
import { CorruptFileError } from '../errors.js'
import { scanManifest, settleManifest } from './manifest.js'
import { dataFolder, partName, rejectsFolder } from './names.js'
import { type OnStep, stepping } from './steps.js'
import type { ManifestEntry } from './types.js'

/**
 * @returns the last committed cut, or null when there is none
 * @throws {CorruptFileError} a committed file is missing or has another size, or the manifest is damaged before its end
 */
export async function recoverRunDirectory(
  directory: string,
  { files = nodeFiles, onStep }: { readonly files?: FileLayer; readonly onStep?: OnStep } = {},
): Promise<ManifestEntry | null> {
  const { entries, wholeBytes } = await scanManifest(directory, files)
  await settleManifest(files, directory, wholeBytes, onStep)
  const named = new Set<string>()
  for (const { files: parts } of entries) {
    for (const { path, bytes } of parts) {
      named.add(path)
      const found = await files.sizeBytes(join(directory, path))
      if (found === bytes) continue
      throw new CorruptFileError(
        `${path} was committed with ${bytes} bytes and ${found === null ? 'is missing' : `has ${found}`}: take it from ` +
          `a backup, or build the dataset anew from the kept replies. \`kun-stream verify ${directory}\` lists all.`,
        { details: { path, bytes, found } },
      )
    }
  }
  for (const folder of [dataFolder, rejectsFolder]) await deleteUnnamed(files, directory, folder, named, onStep)
  for (const name of await files.list(directory)) {
    if (name.endsWith(temporarySuffix)) await files.remove(join(directory, name))
  }
  return entries.at(-1) ?? null
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
    // Someone's own file in there is not ours to delete; verify tells of it.
    if (named.has(path) || !partName.test(name)) continue
    await stepping(onStep, 'recover-delete', path, () => files.remove(join(directory, path)))
    deleted++
  }
  if (deleted === 0) return
  await stepping(onStep, 'recover-fsync', folder, () => files.fsyncDirectory(join(directory, folder)))
}
