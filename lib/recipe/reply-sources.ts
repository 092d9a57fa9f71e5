/** The run directories whose replies a recipe uses (`replies.from`): a wrong one would cost every request again. */
import { join } from 'node:path'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { readRunRecord } from '../sinks/index.js'
import { nodeFiles } from '../storage/files.js'
import { planFolder, repliesFolder } from '../storage/run-layout.js'

/**
 * Checks that each directory is a run with replies. A resumed run has copied what it used, so it may go on without them.
 *
 * @param print called with a message for a run without replies, and in place of an error if `isResumed`
 * @throws {UsageError} a directory does not exist, is no run, or is a run in units that is not assembled
 */
export async function checkReplySources(
  directories: readonly string[],
  isResumed: boolean,
  print: (message: string) => void,
): Promise<void> {
  for (const directory of directories) {
    if (await hasFiles(join(directory, repliesFolder))) continue
    const reason = await unusable(directory)
    if (reason !== null && !isResumed) throw new UsageError(reason)
    print(reason ?? say`replies.from: ${directory} has no replies: every call is sent`)
  }
}

async function unusable(directory: string): Promise<string | null> {
  if (await hasFiles(join(directory, planFolder))) {
    return say`replies.from: ${directory} is a run in units, whose replies are with the units until it is assembled: run kun-stream assemble ${directory} first`
  }
  if ((await readRunRecord(directory)) !== null) return null
  return say`replies.from: ${directory} does not contain a run, so that every call would be sent: give a run directory, such as out/demo`
}

async function hasFiles(folder: string): Promise<boolean> {
  return (await nodeFiles.list(folder)).length > 0
}
