/** Joins the files of a run one at a time, uploads each unless the Hub has it, and deletes the joined file. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileSlice } from '../http/request-body.js'
import type { HubDataset } from '../hub/dataset.js'
import { mustBeCommitted } from '../sinks/index.js'
import type { FileLayer } from '../storage/files.js'
import { type JoinResult, joinParquet } from './join.js'
import type { PublishProgress } from './options.js'
import type { Group } from './plan.js'
import { type PublishState, writeState } from './state.js'

/** A joined file. */
export interface DataFile extends JoinResult {
  readonly split: string
  readonly firstCut: number
}

/** Joined and uploaded files. */
export interface Contents {
  readonly files: readonly DataFile[]
  readonly filesUploaded: number
  readonly bytesUploaded: number
}

/**
 * Uploads the joined file of every group that the branch lacks. Nothing is visible on the Hub until it is committed.
 *
 * @param stored sha256 of the files that the branch holds
 */
export async function storeContents(options: {
  readonly files: FileLayer
  readonly directory: string
  readonly groups: readonly Group[]
  readonly dataset: HubDataset
  readonly stored: ReadonlySet<string>
  readonly state: PublishState
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: PublishProgress) => void) | undefined
}): Promise<Contents> {
  const { files: layer, directory, groups, dataset, stored, state, signal, onProgress } = options
  const bytesTotal = groups.reduce((sum, group) => sum + partBytes(group), 0)
  const temporary = join(directory, 'publish', 'joined.parquet')
  const files: DataFile[] = []
  let [bytesDone, filesUploaded, bytesUploaded] = [0, 0, 0]
  const report = (phase: PublishProgress['phase'], group: Group, sent = 0) =>
    onProgress?.({ phase, name: `${group.split} from cut ${group.firstCut}`, bytesDone: bytesDone + sent, bytesTotal })
  try {
    for (const group of groups) {
      signal?.throwIfAborted()
      let joined = state.joined[group.key]
      if (joined === undefined || !stored.has(joined.sha256)) {
        report('join', group)
        joined = await joinGroup(layer, directory, group, temporary, signal)
        state.joined[group.key] = joined
        await writeState(layer, directory, state)
        const { sha256, bytes } = joined
        const shareOf = partBytes(group) / bytes
        const onSent = (sent: number) => report('upload', group, sent * shareOf)
        if (await dataset.upload(fileSlice(temporary, 0, bytes), sha256, onSent)) {
          filesUploaded++
          bytesUploaded += bytes
        }
      }
      bytesDone += partBytes(group)
      report('upload', group)
      files.push({ ...joined, split: group.split, firstCut: group.firstCut })
    }
  } finally {
    await discardJoined(layer, directory)
  }
  return { files, filesUploaded, bytesUploaded }
}

/** Joins groups whose sha256 is not in publish.json, so that files of this run are recognised on the Hub without it. */
export async function joinUnknown(
  files: FileLayer,
  directory: string,
  groups: readonly Group[],
  state: PublishState,
  signal: AbortSignal | undefined,
): Promise<void> {
  const temporary = join(directory, 'publish', 'joined.parquet')
  try {
    for (const group of groups) {
      state.joined[group.key] ??= await joinGroup(files, directory, group, temporary, signal)
    }
  } finally {
    await discardJoined(files, directory)
  }
  await writeState(files, directory, state)
}

async function joinGroup(
  files: FileLayer,
  directory: string,
  group: Group,
  to: string,
  signal: AbortSignal | undefined,
): Promise<JoinResult> {
  // Joining copies pages without checking them: compare with the committed sha256 first.
  for (const part of group.files) {
    signal?.throwIfAborted()
    await mustBeCommitted(directory, part)
  }
  await files.makeDirectory(join(directory, 'publish'))
  // A new inode: a publish that lost its lock may still have the old one open.
  await files.remove(to)
  return joinParquet({ from: group.files.map(({ path }) => join(directory, path)), to, signal })
}

/** Fails if the lock is lost: the directory then belongs to another publish. */
async function discardJoined(files: FileLayer, directory: string): Promise<void> {
  await files.remove(join(directory, 'publish', 'joined.parquet'))
  await rm(join(directory, 'publish'), { recursive: true, force: true })
}

function partBytes(group: Group): number {
  return group.files.reduce((sum, { bytes }) => sum + bytes, 0)
}
