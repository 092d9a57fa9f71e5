/**
 * publish.json in the run directory: the joined files, and which files this run has published. If it is deleted, the
 * next publish joins everything again.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import { type FileLayer, nodeFiles, readWholeFile, wholeFileBytesMax, writeFileDurably } from '../storage/files.js'
import { publishStateName } from '../storage/run-layout.js'
import { decodeSealed, encodeSealed } from '../storage/sealed-json.js'

const joined = z.object({
  rows: z.number(),
  bytes: z.number(),
  sha256: z.string(),
  uncompressedBytes: z.number(),
  rowGroups: z.number(),
})

const stateSchema = z.object({
  /** Key of a group → joined file. */
  joined: z.record(z.string(), joined),
  /** Repository and branch → sha256 of the data files that this run published. */
  published: z.record(z.string(), z.array(z.string())),
  /** Repository and branch → the open pull request: `refs/pr/N`. */
  pullRequests: z.record(z.string(), z.string()),
})

export type PublishState = z.output<typeof stateSchema>

const repair = say`Delete it; the next publish builds it again`

/** @throws {CorruptFileError} it is damaged, or not a publish.json */
export async function readState(directory: string): Promise<PublishState> {
  const path = join(directory, publishStateName)
  const bytes = await readWholeFile(nodeFiles, path, wholeFileBytesMax)
  if (bytes === null) return { joined: {}, published: {}, pullRequests: {} }
  try {
    return stateSchema.parse(decodeSealed(bytes, path, repair))
  } catch (cause) {
    if (cause instanceof CorruptFileError) throw cause
    throw new CorruptFileError(say`${path} is not a publish.json of kun-stream. ${repair}`, { cause })
  }
}

export async function writeState(files: FileLayer, directory: string, state: PublishState): Promise<void> {
  const text = encodeSealed({ ...state })
  await writeFileDurably(files, join(directory, publishStateName), Buffer.from(text))
}
