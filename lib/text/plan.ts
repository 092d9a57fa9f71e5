/** Options of a recipe for preparing text, and the plain data that a worker needs to do it. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { errorMessage } from '../caught-error.js'
import { RecipeError } from '../errors.js'
import { type ChunkOptions, chunkOptions } from './chunk-options.js'
import type { ContaminationIndex } from './contamination.js'
import { decontaminationOptions } from './contamination-options.js'
import { type CustomFilterFile, findCustomFilters } from './custom.js'
import type { PersonalPlan } from './personal/documents.js'
import { personalOptions } from './personal/options.js'
import { type QualityOptions, qualityOptions } from './quality-options.js'
import type { TokenFamily, TokenWeights } from './token-families.js'

/** Version of cleaning, filters and chunking, which run.json pins: raise it when the same text gives other chunks or rejects. */
export const textVersion = 3

export const prepareOptions = z.strictObject({
  chunk: chunkOptions.prefault({}),
  quality: qualityOptions.prefault({}),
  ...personalOptions,
  decontaminate: decontaminationOptions
    .optional()
    .describe(
      'Benchmarks whose items are not trained on: chunks, instructions and outputs that contain one are dropped',
    ),
  filters: z
    .array(z.string().min(1))
    .default([])
    .describe('Modules with custom filters, run in workers; run.json pins their content'),
  tokenizer: z
    .string()
    .min(1)
    .optional()
    .describe('Path of a tokenizer.json for exact token counts; estimated without it'),
  screen: z
    .strictObject({
      file: z.string().min(1).describe('Path of a classifier that `kun-stream train-screen` wrote'),
      keepAtLeast: z
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .describe('Score of the classifier below which a chunk is dropped'),
    })
    .optional()
    .describe('Drops chunks by a classifier, in the worker threads, before any model'),
})

export type PrepareOptions = z.output<typeof prepareOptions>

/** How chunks are signed: the options of createSigner, all given. */
export interface SignaturePlan {
  readonly ngram: number
  readonly signatureLength: number
  readonly seed: number
}

/** A file that determines the output. */
interface PinnedFile {
  /** As in the recipe. */
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly sha256: string
}

/** Limits of a chunk, with the family whose tokens are estimated. */
interface ChunkPlan extends Omit<ChunkOptions, 'tokensOf'> {
  readonly family: TokenFamily | TokenWeights
}

/** JSON-safe. All of it but the paths determines the output, and is pinned in run.json. */
export interface PreparePlan {
  /**
   * False: the text of a record is signed unchanged and becomes one chunk; no filter and no limit of a chunk applies.
   */
  readonly clean: boolean
  readonly chunk: ChunkPlan
  readonly quality: QualityOptions
  readonly personal: PersonalPlan
  readonly filters: readonly CustomFilterFile[]
  /** null: tokens are estimated. */
  readonly tokenizer: PinnedFile | null
  /** null: no classifier. */
  readonly screen: (PinnedFile & { readonly keepAtLeast: number }) | null
  /** null: no benchmarks. Added by lib/run/decontamination, which reads the files. */
  readonly contamination: {
    readonly files: readonly { readonly name: string; readonly sha256: string }[]
    readonly index: ContaminationIndex
  } | null
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
  const { quality, personal, personalPerThousandMax } = options
  const filters = await findCustomFilters(options.filters, directory)
  const { tokenizer, screen } = options
  const found = {
    tokenizer:
      tokenizer === undefined
        ? null
        : await pinFile('prepare.tokenizer', tokenizer, directory, 'Give the path of a tokenizer.json'),
    screen:
      screen === undefined
        ? null
        : {
            ...(await pinFile(
              'prepare.screen.file',
              screen.file,
              directory,
              'Give a file of `kun-stream train-screen`',
            )),
            keepAtLeast: screen.keepAtLeast,
          },
  }
  return {
    clean: true,
    chunk: chunkPlan(options.chunk),
    quality,
    personal: { personal, personalPerThousandMax },
    filters,
    ...found,
    contamination: null,
    signature,
  }
}

function chunkPlan({ tokensMax, charsMin, tokensOf }: ChunkOptions): ChunkPlan {
  // With 'server' a run replaces the family by the weights of its server.
  return { tokensMax, charsMin, family: tokensOf === 'auto' || tokensOf === 'server' ? 'unknown' : tokensOf }
}

const keepPersonal: PersonalPlan = { personal: 'keep', personalPerThousandMax: false }

/** Returns a plan that signs the unchanged texts of records, for deduplication alone. */
export function planSigning(signature: SignaturePlan): PreparePlan {
  const { chunk, quality } = prepareOptions.parse({})
  return {
    clean: false,
    chunk: chunkPlan(chunk),
    quality,
    personal: keepPersonal,
    filters: [],
    tokenizer: null,
    screen: null,
    contamination: null,
    signature,
  }
}

/** Returns the part of filters that run.json pins, without paths of this machine. */
export function pinnedFilters(filters: readonly CustomFilterFile[]) {
  return filters.map(({ name, sha256, imports }) => ({ name, sha256, imports }))
}

async function pinFile(field: string, name: string, directory: string, advice: string): Promise<PinnedFile> {
  const path = resolve(directory, name)
  try {
    const bytes = await readFile(path)
    return { name, path, sha256: createHash('sha256').update(bytes).digest('hex') }
  } catch (cause) {
    throw new RecipeError(`${field}: ${name} cannot be read (${errorMessage(cause)}). ${advice}.`, {
      cause,
      details: { name },
    })
  }
}
