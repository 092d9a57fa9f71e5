/**
 * latest.json in the run directory: the latest records that are finished and not committed. Replaced every few seconds
 * while a run is in progress; deleted when it ends with everything committed. No result depends on it.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readManifest } from '../sinks/index.js'
import { latestName } from '../storage/run-layout.js'
import type { LatestRecord, LatestRecords, LatestSnapshot } from './latest-records.js'

const latestRecord: z.ZodType<LatestRecord> = z.object({
  id: z.string(),
  split: z.string(),
  shard: z.string(),
  offset: z.number(),
  chunk: z.number(),
  variant: z.number(),
  block: z.number(),
  instruction: z.string(),
  output: z.string().nullable(),
  raw: z.string(),
  score: z.number().nullable(),
  reject: z.object({ stage: z.string(), reason: z.string(), detail: z.string() }).nullable(),
  finishedAt: z.string(),
})

const latestFile: z.ZodType<LatestSnapshot> = z.object({
  pairs: z.number(),
  rejects: z.number(),
  latestPairs: z.array(latestRecord),
  latestRejects: z.array(latestRecord),
})

/** Writes latest.json whenever something has changed. Not fsynced. */
export class LatestWriter {
  readonly #directory: string
  readonly #records: Pick<LatestRecords, 'version' | 'snapshot'>
  /** One write after the other: concurrent ones would share a temporary file. */
  #written: Promise<void> = Promise.resolve()
  #version = 0

  constructor(directory: string, records: Pick<LatestRecords, 'version' | 'snapshot'>) {
    this.#directory = directory
    this.#records = records
  }

  /** Rejects if the file cannot be written. */
  write(): Promise<void> {
    const { version } = this.#records
    if (version === this.#version) return this.#written
    this.#version = version
    const before = this.#written.catch(() => undefined) // a failed write was reported to its caller
    this.#written = before.then(() => writeLatest(this.#directory, this.#records.snapshot()))
    return this.#written
  }

  /** Deletes the file, after the end of a run that has committed everything. */
  async discard(): Promise<void> {
    await this.#written.catch(() => undefined) // a failed write was reported to its caller
    await rm(join(this.#directory, latestName), { force: true })
  }
}

async function writeLatest(directory: string, snapshot: LatestSnapshot): Promise<void> {
  const path = join(directory, latestName)
  await writeFile(`${path}.tmp`, `${JSON.stringify(snapshot)}\n`)
  await rename(`${path}.tmp`, path)
}

/** Returns what the file holds, with committed records too; null without a readable file. */
async function readLatestFile(directory: string): Promise<LatestSnapshot | null> {
  try {
    return latestFile.parse(JSON.parse(await readFile(join(directory, latestName), 'utf8')))
  } catch {
    // No result depends on the file: one that is missing or damaged shows nothing.
    return null
  }
}

/** Returns the latest records that are not committed; null if there are none. Counts are of the file's last write. */
export async function readUncommitted(directory: string): Promise<LatestSnapshot | null> {
  const found = await readLatestFile(directory)
  if (found === null) return null
  const blocks = (await readManifest(directory)).at(-1)?.blocks ?? 0
  const uncommitted = ({ block }: LatestRecord): boolean => block >= blocks
  const latestPairs = found.latestPairs.filter(uncommitted)
  const latestRejects = found.latestRejects.filter(uncommitted)
  return latestPairs.length + latestRejects.length === 0 ? null : { ...found, latestPairs, latestRejects }
}
