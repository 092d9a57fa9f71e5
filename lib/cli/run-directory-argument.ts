/** Check of an argument that names a run directory, for commands that only read it. */

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../errors.js'
import { listText } from '../language/list-text.js'
import { say } from '../language/say.js'
import { isS3Address } from '../objects/s3/address.js'
import { manifestName, runRecordName } from '../storage/run-layout.js'

/** Files that every run directory has from its start. */
const marks: readonly string[] = [runRecordName, manifestName]
const namesShownMax = 3

/** @throws {UsageError} it is not a run directory; the message suggests ones below it */
export async function mustBeRunDirectory(directory: string): Promise<void> {
  if (isS3Address(directory)) {
    throw new UsageError(
      say`${directory} is a bucket: give the run directory of the dataset, which kun-stream assemble ${directory} --out DIR writes`,
    )
  }
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => error)
  if (found instanceof Error || !found.isDirectory()) {
    const missing = 'code' in found && found.code === 'ENOENT'
    const what = !(found instanceof Error)
      ? say`it is a file`
      : missing
        ? say`there is no such directory`
        : found.message
    throw new UsageError(say`${directory} cannot be read: ${what}. Give a run directory, such as out/demo`)
  }
  const entries = await readdir(directory, { withFileTypes: true })
  if (entries.some((entry) => marks.includes(entry.name))) return
  const below: string[] = []
  for (const entry of entries) {
    if (below.length >= namesShownMax || !entry.isDirectory()) continue
    const path = join(directory, entry.name)
    const names = await readdir(path).catch((): string[] => []) // the names are only a hint: ignore the error
    if (names.includes(runRecordName)) below.push(path)
  }
  const advice = below.length > 0 ? say`Did you mean ${listText(below)}?` : say`Give a run directory, such as out/demo`
  throw new UsageError(
    say`${directory} is not a run directory: it holds neither ${runRecordName} nor ${manifestName}. ${advice}`,
  )
}
