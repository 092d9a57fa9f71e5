/**
 * publish.json in the run directory: what was joined to what, and which files this run has put on the Hub.
 * Without it everything is found again by joining; with it a second publish reads nothing.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { nodeFiles, readWholeFile, writeFileDurably } from '../core/files.js'
import { CorruptFileError } from '../errors.js'

const joined = z.object({
  rows: z.number(),
  bytes: z.number(),
  sha256: z.string(),
  uncompressedBytes: z.number(),
  rowGroups: z.number(),
})

const stateSchema = z.object({
  /** Key of a group → what it was joined to. */
  joined: z.record(z.string(), joined),
  /** Repository and branch → sha256 of the data files that this run put there. */
  published: z.record(z.string(), z.array(z.string())),
  /** Repository and branch → the pull request that was opened: refs/pr/N. */
  pullRequests: z.record(z.string(), z.string()),
})

export type PublishState = z.output<typeof stateSchema>

const stateBytesMax = 64 * 1024 * 1024

export async function readState(directory: string): Promise<PublishState> {
  const path = join(directory, 'publish.json')
  const bytes = await readWholeFile(nodeFiles, path, stateBytesMax)
  if (bytes === null) return { joined: {}, published: {}, pullRequests: {} }
  try {
    return stateSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch (cause) {
    throw new CorruptFileError(`${path} is damaged: delete it; the next publish builds it again`, { cause })
  }
}

export async function writeState(directory: string, state: PublishState): Promise<void> {
  const text = `${JSON.stringify(state, null, 1)}\n`
  await writeFileDurably(nodeFiles, join(directory, 'publish.json'), Buffer.from(text))
}
