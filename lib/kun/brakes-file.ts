/**
 * brakes.json of a run directory: how each stage began, so that every call of `run` is judged against the same start.
 * Not part of the dataset: a run that cannot write or read it says so and goes on.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { type FileLayer, readWholeFile, writeFileDurably } from '../core/files.js'
import { type StageStart, stageStart } from '../llm/brakes.js'

const brakesName = 'brakes.json'
const fileBytesMax = 1024 * 1024
const contents = z.strictObject({ stages: z.record(z.string(), stageStart) })

/** By stage; none where there is no file. @throws {Error} it is no brakes.json, or cannot be read */
export async function readStarts(files: FileLayer, directory: string): Promise<Record<string, StageStart>> {
  const bytes = await readWholeFile(files, join(directory, brakesName), fileBytesMax)
  return bytes === null ? {} : contents.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).stages
}

export async function writeStarts(
  files: FileLayer,
  directory: string,
  stages: Readonly<Record<string, StageStart>>,
): Promise<void> {
  await writeFileDurably(files, join(directory, brakesName), Buffer.from(`${JSON.stringify({ stages }, null, 2)}\n`))
}
