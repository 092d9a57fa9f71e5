/**
 * brakes.json of a run directory: the start of each stage, so that all calls of `run` compare with the same one. Not part
 * of the dataset: a run that cannot read or write it reports that and continues.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { say } from '../../language/say.js'
import { type FileLayer, readWholeFile, writeFileDurably } from '../../storage/files.js'
import { driftName } from '../../storage/run-layout.js'
import { decodeSealed, encodeSealed } from '../../storage/sealed-json.js'
import { type StageStart, stageStart } from './detector.js'

const repair = say`Delete it, or run again: it is created again`
const fileBytesMax = 1024 * 1024
const contents = z.strictObject({ stages: z.record(z.string(), stageStart) })

/** Reads state by stage; empty if there is no file. @throws {Error} it is damaged, not a brakes.json, or unreadable */
export async function readStarts(files: FileLayer, directory: string): Promise<Record<string, StageStart>> {
  const bytes = await readWholeFile(files, join(directory, driftName), fileBytesMax)
  return bytes === null ? {} : contents.parse(decodeSealed(bytes, join(directory, driftName), repair)).stages
}

/** Deletes the file, if it exists. */
export async function removeStarts(files: FileLayer, directory: string): Promise<void> {
  await files.remove(join(directory, driftName))
}

export async function writeStarts(
  files: FileLayer,
  directory: string,
  stages: Readonly<Record<string, StageStart>>,
): Promise<void> {
  await writeFileDurably(files, join(directory, driftName), Buffer.from(encodeSealed({ stages })), fileBytesMax)
}
