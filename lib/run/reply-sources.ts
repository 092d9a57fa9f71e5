/** The run directories whose replies a recipe uses (`replies.from`): a wrong one would cost every request again. */
import { join } from 'node:path'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { readRunRecord } from '../sinks/index.js'
import type { FileLayer } from '../storage/files.js'
import { planFolder, repliesFolder } from '../storage/run-layout.js'
import type { KunSettings } from './settings.js'

interface CheckOptions {
  readonly files: FileLayer
  /** Called with a message for a run without replies, and in place of an error if the run is resumed. */
  readonly onEvent?: ((message: string) => void) | undefined
  readonly fresh?: 'refuse' | 'discard' | undefined
}

/**
 * Checks that each directory is a run with replies. A resumed run has copied what it used, so it may go on without them.
 *
 * @throws {UsageError} a directory does not exist, is not a run, or is a run in units that is not assembled
 */
export async function checkReplySources(
  { output, replies }: Pick<KunSettings, 'output' | 'replies'>,
  { files, onEvent, fresh }: CheckOptions,
): Promise<void> {
  for (const directory of replies.from) {
    if (await hasFiles(files, join(directory, repliesFolder))) continue
    const reason = await unusable(directory, files)
    const isResumed = fresh !== 'discard' && (await readRunRecord(output.dir, files)) !== null
    if (reason !== null && !isResumed) throw new UsageError(reason)
    onEvent?.(reason ?? say`replies.from: ${directory} has no replies: every call is sent`)
  }
}

async function unusable(directory: string, files: FileLayer): Promise<string | null> {
  if (await hasFiles(files, join(directory, planFolder))) {
    return say`replies.from: ${directory} is a run in units, whose replies are with the units until it is assembled: run kun-stream assemble ${directory} first`
  }
  if ((await readRunRecord(directory, files)) !== null) return null
  return say`replies.from: ${directory} does not contain a run, so that every call would be sent: give a run directory, such as out/demo`
}

async function hasFiles(files: FileLayer, folder: string): Promise<boolean> {
  return (await files.list(folder)).length > 0
}
