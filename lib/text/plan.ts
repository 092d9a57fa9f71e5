/** Options of a recipe for preparing text, and the plain data that a worker needs to do it. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { RecipeError } from '../errors.js'
import { type ChunkOptions, chunkOptions } from './chunk.js'
import { type CustomFilterFile, findCustomFilters } from './custom.js'
import { type QualityOptions, qualityOptions } from './filters.js'
import type { TokenFamily } from './token-families.js'

export const prepareOptions = z.strictObject({
  chunk: chunkOptions.prefault({}),
  quality: qualityOptions.prefault({}),
  filters: z
    .array(z.string().min(1))
    .default([])
    .describe('Modules with custom filters, run in workers; run.json pins their content'),
  tokenizer: z
    .string()
    .min(1)
    .optional()
    .describe('Path of a tokenizer.json for exact token counts; estimated without it'),
})

export type PrepareOptions = z.output<typeof prepareOptions>

/** How chunks are signed: the options of createSigner, all given. */
export interface SignaturePlan {
  readonly ngram: number
  readonly signatureLength: number
  readonly seed: number
}

/** Limits of a chunk, with the family whose tokens are estimated. */
interface ChunkPlan extends Omit<ChunkOptions, 'tokensOf'> {
  readonly family: TokenFamily
}

/** JSON-safe. All of it but the paths determines the output, and is pinned in run.json. */
export interface PreparePlan {
  /**
   * False: the text of a record is signed unchanged and becomes one chunk; no filter and no limit of a chunk applies.
   */
  readonly clean: boolean
  readonly chunk: ChunkPlan
  readonly quality: QualityOptions
  readonly filters: readonly CustomFilterFile[]
  /** null: tokens are estimated. */
  readonly tokenizer: { readonly name: string; readonly path: string; readonly sha256: string } | null
  readonly signature: SignaturePlan
}

/**
 * Resolves and hashes the files that the options name.
 *
 * @param directory base of relative paths: the working directory
 * @throws {RecipeError} a file cannot be read
 */
export async function planPreparation(
  options: PrepareOptions,
  directory: string,
  signature: SignaturePlan,
): Promise<PreparePlan> {
  const { quality } = options
  const filters = await findCustomFilters(options.filters, directory)
  const tokenizer = options.tokenizer === undefined ? null : await findTokenizer(options.tokenizer, directory)
  return { clean: true, chunk: chunkPlan(options.chunk), quality, filters, tokenizer, signature }
}

function chunkPlan({ tokensMax, charsMin, tokensOf }: ChunkOptions): ChunkPlan {
  return { tokensMax, charsMin, family: tokensOf === 'auto' ? 'unknown' : tokensOf }
}

/** Returns a plan that signs the unchanged texts of records, for deduplication alone. */
export function planSigning(signature: SignaturePlan): PreparePlan {
  const { chunk, quality } = prepareOptions.parse({})
  return { clean: false, chunk: chunkPlan(chunk), quality, filters: [], tokenizer: null, signature }
}

/** Returns the part of filters that run.json pins, without paths of this machine. */
export function pinnedFilters(filters: readonly CustomFilterFile[]) {
  return filters.map(({ name, sha256, imports }) => ({ name, sha256, imports }))
}

async function findTokenizer(name: string, directory: string): Promise<NonNullable<PreparePlan['tokenizer']>> {
  const path = resolve(directory, name)
  try {
    return {
      name,
      path,
      sha256: createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    }
  } catch (cause) {
    throw new RecipeError(
      `prepare.tokenizer: ${name} cannot be read (${(cause as Error).message}). Give the path of a tokenizer.json.`,
      { cause, details: { name } },
    )
  }
}
