/** Builds and reads the record of a run in run.json: pinned values, and others that are stored with them. */
import { z } from 'zod'
import { version } from '../core/version.js'
import { againstHashes } from '../dedup/against-hashes.js'
import { RunMismatchError } from '../errors.js'
import { replyReadingVersion } from '../kun/replies/reading.js'
import { say } from '../language/say.js'
import { parseCapabilities } from '../llm/endpoint/capabilities.js'
import type { Capabilities } from '../llm/types.js'
import { type RejectReasonName, rejectReasons } from '../reject-reasons.js'
import { type RunRecord, readRunRecord } from '../sinks/index.js'
import type { FileLayer } from '../storage/files.js'
import { runRecordName } from '../storage/run-layout.js'
import { type PreparePlan, pinnedFilters, textVersion } from '../text/plan.js'
import { type PinnedShard, pinnedShards } from './pinned-shards.js'
import type { KunSettings } from './settings.js'
import type { PinnedWeights } from './token-weights.js'

/** Versions of what determines the bytes besides the recipe. */
const versions = { text: textVersion, replyReading: replyReadingVersion } as const

/** Returns name, pinned and present value of the versions in which a record differs; an absent one is 1. */
export function changedVersions(pinned: Readonly<Record<string, unknown>>): (readonly [string, unknown, number])[] {
  return Object.entries(versions)
    .map(([name, version]) => [name, pinned[name] ?? 1, version] as const)
    .filter(([, before, version]) => before !== version)
}

/** Builds the record of a run with these settings. */
export async function runRecordOf(
  settings: KunSettings,
  plan: PreparePlan,
  encoder: string,
  capabilities: Readonly<Record<string, Capabilities>>,
  files: FileLayer,
  tokenWeights: PinnedWeights | null,
): Promise<RunRecord> {
  const { pinned, shards, dedup, workers, memory, recipe } = settings
  return {
    pinned: {
      version,
      ...versions,
      recipe: pinned,
      ...(settings.sample !== undefined && { sample: settings.sample }),
      shards: pinnedShards(shards),
      filters: pinnedFilters(plan.filters),
      tokenizer: plan.tokenizer === null ? null : { name: plan.tokenizer.name, sha256: plan.tokenizer.sha256 },
      ...(tokenWeights !== null && { tokenWeights }),
      ...(plan.screen !== null && { screen: { name: plan.screen.name, sha256: plan.screen.sha256 } }),
      ...(plan.contamination !== null && { decontaminate: plan.contamination.files }),
      ...(dedup.against.length > 0 && { against: await againstHashes(dedup.against, files) }),
      encoder,
    },
    // A phase probes only its own models, so these are added model by model; openServers refuses an endpoint that lacks one.
    free: { capabilities, workers, memory, recipe },
  }
}

const pinnedShard: z.ZodType<PinnedShard> = z.object({
  split: z.string(),
  source: z.string().exactOptional(),
  path: z.string(),
  sizeBytes: z.int().min(0).nullable(),
  content: z.string().nullable(),
  fault: z
    .object({
      reason: z.custom<RejectReasonName>((value) => typeof value === 'string' && Object.hasOwn(rejectReasons, value)),
      detail: z.string(),
    })
    .exactOptional(),
  removed: z.literal(true).exactOptional(),
})

/**
 * Returns the shards that run.json pins.
 *
 * @throws {RunMismatchError} another version of kun-stream wrote them
 */
export function pinnedShardsOf({ pinned }: RunRecord): PinnedShard[] {
  const { data, error } = z.array(pinnedShard).safeParse(pinned.shards ?? [])
  if (error === undefined) return data
  const issue = error.issues[0]
  const path = ['pinned', 'shards', ...(issue?.path ?? [])].join('.')
  throw new RunMismatchError(
    say`${runRecordName}: ${path}: ${issue?.message}. Use the version of kun-stream that wrote it, or
      another directory`,
    { details: { path } },
  )
}

/**
 * Returns the capabilities that a run is held to: its own and those of runs whose replies it uses. None of a sample, whose
 * probes ask less; the run has the responses of its servers.
 */
export async function pinnedCapabilities(
  { output, replies, sample }: Pick<KunSettings, 'output' | 'replies' | 'sample'>,
  files: FileLayer,
): Promise<Record<string, Capabilities>> {
  if (sample !== undefined) return {}
  const directories = [output.dir]
  for (const directory of replies.from) {
    const record = await readRunRecord(directory, files)
    if (record?.pinned.sample === undefined) directories.push(directory)
  }
  return knownCapabilities(directories, files)
}

/** Returns the capabilities of servers by model, each from the first run directory that has them. */
export async function knownCapabilities(
  directories: readonly string[],
  files: FileLayer,
): Promise<Record<string, Capabilities>> {
  let known: Record<string, Capabilities> = {}
  for (const directory of directories) {
    const record = await readRunRecord(directory, files)
    known = { ...parseCapabilities(record?.free.capabilities ?? {}), ...known }
  }
  return known
}
