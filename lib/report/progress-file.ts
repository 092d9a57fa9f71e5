/**
 * progress.json: the progress of a run that is in progress, for `status` and the pages, which run in other processes. Not
 * part of the dataset, like timings.json.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { progressName } from '../storage/run-layout.js'
import type { RunProgress } from './progress.js'

/** Content of the file. */
export interface StoredProgress {
  /** When it was measured, ISO 8601. */
  readonly at: string
  /** Process of the run. */
  readonly pid: number
  /** 'running', or how the call ended: 'input', 'limit', or the code of an error. */
  readonly end: string
  readonly progress: RunProgress
}

/** Checks the parts whose absence would break a reader; the file was written by this version or a close one. */
const checked = z.object({
  at: z.string(),
  pid: z.number(),
  end: z.string(),
  progress: z.looseObject({
    elapsedSeconds: z.number(),
    estimate: z.looseObject({ doneShare: z.number().nullable(), secondsLeft: z.number().nullable() }),
    stages: z.array(z.looseObject({ name: z.string(), in: z.number(), out: z.number() })),
    servers: z.array(z.looseObject({ endpoint: z.string() })),
  }),
})

const stored = z.custom<StoredProgress>((value) => checked.safeParse(value).success)

/** Replaces the file. */
export async function writeProgress(directory: string, progress: StoredProgress): Promise<void> {
  const path = join(directory, progressName)
  await writeFile(`${path}.tmp`, `${JSON.stringify(progress)}\n`)
  await rename(`${path}.tmp`, path)
}

/** Returns the progress that a run wrote last; null if there is none, or it cannot be read. */
export async function readProgress(directory: string): Promise<StoredProgress | null> {
  try {
    return stored.parse(JSON.parse(await readFile(join(directory, progressName), 'utf8')))
  } catch {
    // No result depends on it.
    return null
  }
}
