/**
 * The sample of a run: a run over a few records in a directory of its own, beside the run directory. Its replies have the
 * keys of the whole run, which uses them in place of requests.
 */
import { isDeepStrictEqual } from 'node:util'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import type { KunSettings } from '../run/settings.js'
import { readRunRecord } from '../sinks/index.js'
import { isRecord } from './document.js'

/** A sample that was taken. */
export interface Sampled {
  readonly directory: string
  readonly records: number
}

/** Returns the directory of the sample of a run. */
export function sampleDirectory(directory: string): string {
  return `${directory.replace(/\/+$/, '')}.sample`
}

/**
 * Returns the sample of a run directory if it was made with the same servers: their capabilities decide the form of
 * requests, and a run would be held to those of the sample.
 *
 * @param stored the recipe as run.json stores it
 */
export async function sampleOf(directory: string, stored: Readonly<Record<string, unknown>>): Promise<Sampled | null> {
  const from = sampleDirectory(directory)
  const record = await readRunRecord(from)
  if (record === null || typeof record.pinned.sample !== 'number') return null
  const { recipe } = record.free
  if (!isRecord(recipe) || !isDeepStrictEqual(serversOf(recipe), serversOf(stored))) return null
  return { directory: from, records: record.pinned.sample }
}

/** Address and name of each model. */
function serversOf({ models }: Readonly<Record<string, unknown>>): unknown {
  if (!isRecord(models)) return null
  return Object.entries(models).map(([name, model]) => [name, isRecord(model) ? [model.endpoints, model.model] : null])
}

/**
 * Returns the settings of a sample of the run. It is not a dataset, so nothing stops or ends it early.
 *
 * @throws {UsageError} the directory of the sample holds another run, or the input can be read only once
 */
export async function sampleSettings(settings: KunSettings, records: number): Promise<KunSettings> {
  const dir = sampleDirectory(settings.output.dir)
  const record = await readRunRecord(dir)
  if (record !== null && record.pinned.sample === undefined) {
    throw new UsageError(say`${dir} holds a run that is not a sample: move it elsewhere, or give another --out`)
  }
  if (settings.shards.some(({ path, sizeBytes }) => path === '-' && sizeBytes === null)) {
    throw new UsageError(say`standard input can be read only once: --sample needs files`)
  }
  return {
    ...settings,
    sample: records,
    output: { ...settings.output, dir },
    replies: { keep: true, from: settings.replies.from.filter((earlier) => earlier !== dir) },
    limits: { ...settings.limits, rowsMax: Number.POSITIVE_INFINITY },
    workers: { ...settings.workers, threads: 1 },
    drift: false,
    noYield: { recordsMax: null, mayBeEmpty: true },
  }
}
