/**
 * Fits the estimate of tokens to the tokenizer of the label model's server: chunks of the first shards are counted by
 * `/tokenize` at the start of a run. The weights determine where chunks end: run.json pins them, and a resumed run takes
 * them from there.
 */
import { z } from 'zod'
import type { EventLog } from '../core/event-log.js'
import { CorruptFileError, EndpointError } from '../errors.js'
import { count } from '../language/count.js'
import { say } from '../language/say.js'
import type { ModelServers } from '../llm/scheduler/model-servers.js'
import { readRunRecord } from '../sinks/index.js'
import { blocks } from '../sources/index.js'
import type { FileLayer } from '../storage/files.js'
import { releaseColumns } from '../text/block.js'
import { textAt } from '../text/columns.js'
import type { PreparePlan } from '../text/plan.js'
import { type TokenWeights, tokenFamilies } from '../text/token-families.js'
import { estimateTokens } from '../text/tokens.js'
import { workerPool } from '../workers/pool.js'
import type { KunSettings } from './settings.js'

/** Full chunks that are counted, of all splits together. */
const chunksMax = 640
/** Shards of a split, and blocks of them, that are read for it. */
const shardsMax = 8
const blocksMax = 64
/** Share of the smallest budget of any family from which on a chunk counts as full. */
const fullShare = 0.7
/** Fewer say too little: the weights of an unknown family are used. */
const chunksMin = 20

/**
 * Number of counted chunks → how many of them may exceed the budget, so that with a confidence of 95 % at most one chunk in
 * 100 of the whole does (one-sided tolerance limit of an order statistic: 0.99^299 = 0.05).
 */
const exceedingByCount = [
  [628, 2],
  [473, 1],
  [299, 0],
] as const
/** Factor on the largest ratio of a smaller sample. */
const smallSampleFactor = 1.03

const pinnedWeights = z.object({ model: z.string(), median: z.number().positive(), most: z.number().positive() })
/** Weights of the tokenizer of a model. */
export type PinnedWeights = z.output<typeof pinnedWeights>

/**
 * Returns the weights that run.json of the first of these run directories pins for the model; null if none does.
 *
 * @throws {CorruptFileError} they are not valid
 */
export async function knownWeights(
  directories: readonly string[],
  model: string,
  files: FileLayer,
): Promise<PinnedWeights | null> {
  for (const directory of directories) {
    const stored = (await readRunRecord(directory, files))?.pinned.tokenWeights
    if (stored === undefined) continue
    const { data, error } = pinnedWeights.safeParse(stored)
    if (error !== undefined) throw new CorruptFileError(say`tokenWeights in run.json of ${directory} are not valid`)
    if (data.model === model) return data
  }
  return null
}

/** Options for `fitWeights`. */
interface FitOptions {
  readonly settings: Pick<KunSettings, 'shards' | 'splits' | 'read' | 'workers' | 'kun' | 'models'>
  /** With weights that are too large rather than too small. */
  readonly plan: PreparePlan
  readonly servers: Pick<ModelServers, 'countTokens'>
  readonly onEvent?: ((message: string) => void) | undefined
  readonly log: EventLog
}

/**
 * Counts chunks of each split and returns the weights.
 *
 * @throws {EndpointError} no server of the label model has /tokenize
 */
export async function fitWeights({ settings, plan, servers, onEvent, log }: FitOptions): Promise<PinnedWeights> {
  const name = settings.kun.label.model
  const model = settings.models[name]?.model ?? name
  const { texts, estimates } = await sampledTexts(settings, plan)
  const counts = texts.length < chunksMin ? [] : await servers.countTokens(name, texts)
  if (counts === null) {
    throw new EndpointError(
      say`prepare.chunk.tokensOf is server, but no server of ${model} has /tokenize. Give the family of its tokenizer`,
      { details: { model: name } },
    )
  }
  const { median, most } = counts.length === 0 ? tokenFamilies.unknown : weightsOf(estimates, counts)
  log.info('token-weights', { model, median, most, chunks: counts.length })
  onEvent?.(
    counts.length === 0
      ? say`tokens of ${model}: too few full chunks to count (${count(texts.length, 'chunk')}); limits of an unknown family`
      : say`tokens of ${model}: ${median} for each estimated token, at most ${most} in 99 of 100 chunks (${count(counts.length, 'chunk')} counted by its server)`,
  )
  return { model, median, most }
}

/** Returns the median of counted over estimated tokens, and the ratio that at most one chunk in 100 exceeds. */
export function weightsOf(estimates: readonly number[], counts: readonly number[]): TokenWeights {
  const ratios = counts.map((tokens, index) => tokens / (estimates[index] as number)).sort((a, b) => a - b)
  const exceeding = exceedingByCount.find(([least]) => ratios.length >= least)?.[1]
  const largest = ratios[ratios.length - 1 - (exceeding ?? 0)] as number
  const most = exceeding === undefined ? largest * smallSampleFactor : largest
  return {
    median: Math.round((ratios[ratios.length >> 1] as number) * 100) / 100,
    most: Math.ceil(most * 100) / 100,
  }
}

/** Returns full chunks of the first shards of each split, in their order, and the estimate of their tokens. */
async function sampledTexts(
  { shards, splits, read, workers }: FitOptions['settings'],
  plan: PreparePlan,
): Promise<{ readonly texts: readonly string[]; readonly estimates: readonly number[] }> {
  const full = (fullShare * plan.chunk.tokensMax) / Math.max(...Object.values(tokenFamilies).map(({ most }) => most))
  const texts: string[] = []
  const estimates: number[] = []
  const pool = workerPool({ plan, ...workers })
  try {
    for (const [index, split] of splits.entries()) {
      // Standard input cannot be read twice.
      const first = shards.filter((shard) => shard.split === split && shard.reject == null && shard.path !== '-')
      const wanted = Math.ceil((chunksMax * (index + 1)) / splits.length)
      let blocksRead = 0
      for await (const { block } of blocks(first.slice(0, shardsMax), read)) {
        const prepared = await pool.prepare(block)
        const { text } = prepared.chunks
        for (let row = 0; row < prepared.chunks.tokens.length && texts.length < wanted; row++) {
          const chunk = textAt(text, row)
          const estimate = estimateTokens(chunk)
          if (estimate < full) continue
          texts.push(chunk)
          estimates.push(estimate)
        }
        releaseColumns(prepared)
        if (texts.length >= wanted || ++blocksRead >= blocksMax) break
      }
    }
    return { texts, estimates }
  } finally {
    await pool.close()
  }
}
