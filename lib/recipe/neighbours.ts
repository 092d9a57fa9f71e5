/**
 * Options of modules that are not on main yet, in their own words. Each goes as soon as its module exports it.
 */
import { z } from 'zod'

const share = z.union([z.literal(false), z.number().min(0).max(1)])
const chars = z.union([z.literal(false), z.int().min(1)])

export const chunkOptions = z.strictObject({
  tokensMax: z.int().min(16).max(1_000_000).default(512),
  charsMin: z.int().min(1).default(50),
})

export const qualityOptions = z.strictObject({
  charsMin: chars.default(50),
  charsMax: chars.default(false),
  chineseShareMin: share.default(0.3),
  symbolShareMax: share.default(0.25),
  digitShareMax: share.default(0.3),
  urlShareMax: share.default(0.2),
  boilerplateShareMax: share.default(0.3),
  repeatedLinesShareMax: share.default(0.3),
  repeatedNgramsShareMax: share.default(0.5),
})

export const prepareOptions = z.strictObject({
  chunk: chunkOptions.prefault({}),
  quality: qualityOptions.prefault({}),
  filters: z.array(z.string().min(1)).default([]),
  tokenizer: z.string().min(1).optional(),
})

export const nearOptions = z.strictObject({
  threshold: z.number().min(0.5).max(0.98).default(0.8),
  ngram: z.int().min(1).max(64).default(5),
  permutations: z.int().min(16).max(512).default(128),
  seed: z.int().min(0).max(0xffffffff).default(1),
})

export const dedupOptions = z.strictObject({
  exact: z.boolean().default(true),
  near: z.union([z.literal(false), nearOptions]).prefault({}),
  index: z.enum(['exact', 'bloom', 'auto']).default('auto'),
  indexBytesMax: z
    .int()
    .min(1)
    .default(4 * 1024 ** 3),
  against: z.array(z.string().min(1)).default([]),
})

export const modelOptions = z.strictObject({
  model: z.string().min(1),
  endpoints: z.array(z.url({ protocol: /^https?$/ })).min(1),
  headers: z.record(z.string().regex(/^[\w-]+$/), z.string()).default({}),
  apiKey: z.string().min(1).optional(),
  chatTemplateKwargs: z.record(z.string(), z.unknown()).optional(),
  extraBody: z.record(z.string(), z.unknown()).optional(),
  stream: z.boolean().default(false),
  inFlightMax: z.int().min(1).max(65_536).default(8192),
  limiter: z.enum(['auto', 'fixed']).default('auto'),
  deadlineMs: z.number().min(1).max(86_400_000).default(600_000),
  triesMax: z.int().min(1).max(16).default(3),
  promptsPerRequest: z.int().min(1).max(1024).default(1),
})

export const serverOptions = z.strictObject({
  outageMaxMs: z.number().min(0).default(1_800_000),
  starveMs: z.number().min(0).default(60_000),
})

export const cutOptions = z.strictObject({
  rowsPerFile: z.int().min(1).default(100_000),
  rowGroupBytesMax: z
    .int()
    .min(1024)
    .max(100_000_000)
    .default(16 * 1024 * 1024),
})

export const encoderOptions = z.strictObject({
  encoder: z.enum(['hyparquet-writer', 'parquetjs-lite']).default('hyparquet-writer'),
  codec: z.enum(['zstd', 'gzip', 'snappy']).optional(),
})
