/**
 * The whole of a recipe as one schema. What a part means and may be is said beside what it configures;
 * here the parts are put together, and each field is told from the others by whether it alters the output.
 */

import { z } from 'zod'
import { dedupOptions, nearOptions } from '../dedup/index.js'
import { hubFetchOptions } from '../hub/fetch.js'
import { hubRepo } from '../hub/settings.js'
import { kunOptions } from '../kun/options.js'
import { modelOptions, serverOptions } from '../llm/options.js'
import { encoderOptions } from '../parquet/encoders/index.js'
import { mirrorOptions } from '../publish/mirror.js'
import { brakeOptions } from '../run/drift/drift.js'
import { cutOptions } from '../sinks/index.js'
import { sourceOptions } from '../sources/index.js'
import { chunkOptions } from '../text/chunk.js'
import { qualityOptions } from '../text/filters.js'
import { prepareOptions } from '../text/plan.js'
import { workersOptions } from '../workers/pool.js'
import { type FieldNote, free, noted } from './option-docs.js'

/** A secret is named, never written down. */
const secret = z
  .string()
  .regex(/^env:[A-Za-z_]\w*$/)
  .meta({ allowed: 'the name of an environment variable, as env:VLLM_KEY (a secret is not written in a recipe)' })

/** One for each use: what is noted of one must not be said of the other. */
const repository = () => hubRepo.meta({ allowed: 'owner/name' })

const name = z
  .string()
  .regex(/^[\w.-]+$/)
  .meta({ allowed: 'letters, digits, _, - and dots' })

/** The model that the built-in server answers as. */
export const builtinModel = 'builtin-extractive'

const sourceEntry = noted(
  z.strictObject({
    split: z
      .string()
      .regex(/^\w+(\.\w+)*$/)
      .meta({ allowed: 'letters, digits and _, with dots between them' }),
    preset: z.enum(['wudao', 'wanjuan', 'skypile']).optional(),
    files: z.array(z.string().min(1)).min(1),
    hub: repository().optional(),
    revision: z.string().min(1).optional(),
    token: secret.optional(),
    cache: z.string().min(1).optional(),
    text: z.string().min(1).optional(),
    id: z.string().min(1).optional(),
    title: z.string().min(1).optional(),
  }),
  {
    split: 'Name of the split that its rows go to; each source has its own',
    preset: 'Field names of one of the three corpora; `text`, `id` and `title` go over them',
    files: free(
      'Globs, from the working directory or in the repository; one or a list; `!` takes out; `-` reads standard input',
    ),
    hub: free('A dataset on the Hub, whose shards run.json pins by content; without it the files are on disk'),
    revision: 'Branch, tag or commit; `main` when left out; run.json pins the commit',
    token: free('Environment variable with a token of the Hub'),
    cache: free('Folder that keeps whole shards of the Hub'),
    text: 'Field of the text, in place of the one of a preset; a path (data.content) where no field has that name',
    id: "Field of the record's own id",
    title: 'Field of the title',
  },
)

noted(sourceOptions, {
  blockBytes: 'Decompressed bytes of a block, about: it ends with a record',
  recordBytesMax: 'A longer record is rejected while it is read',
  shardsOpenMax: 'Shards read side by side, a block from each in turn',
  decodeMsMax: 'Time to decode a row group of Parquet; past it the shard counts as corrupt from there on',
  decodeBytesMax: 'Bytes of Parquet that are held, and decoded, at once; rows that take more are rejected',
  zstdWindowBytesMax: 'Window of a zstd frame, held in memory; 2GiB for shards made with zstd --long=31',
  order: 'interleaved mixes shards of a corpus that is sorted by category; in-order reads one after the other',
})

/** Jitter needs no seed of the user's. */
const hubOptions = noted(hubFetchOptions.omit({ seed: true }), {
  triesMax: free('Times that one request is sent before the run stops, resumable'),
  waitMsMax: free('The longest wait that the Hub may ask for; more stops the run, resumable'),
  backoffMs: free('First wait after a failure; it doubles'),
  backoffMsMax: free('The longest of these waits'),
  connectMs: free('Time for a connection'),
  headersMs: free('Time from a request to the head of its answer'),
  idleMs: free('Time between two pieces of a body'),
  connectionsMax: free('Connections to one host'),
  apiRequestsMax: free('Calls of the API in a window; a free account has 1,000 in 5 minutes'),
  resolveRequestsMax: free('Requests for files in a window; a free account has 5,000 in 5 minutes'),
  windowMs: free('The window'),
})

noted(workersOptions, {
  threads: free('Worker threads; auto takes one fewer than there are cores, at least one'),
  heapBytesMax: free("Old space of a thread's heap; a thread that needs more is lost, and its record rejected"),
  lostRecordsMax: free('Records that may be lost with their thread before the run stops'),
  blockMsMax: free('Time that a thread may take for a block, then for a record alone, which is rejected'),
})

noted(chunkOptions, {
  tokensMax: 'Tokens of a chunk, inclusive',
  charsMin: 'A shorter chunk is rejected',
})

const bound = (of: string) => `${of}; false switches the filter off`
noted(qualityOptions, {
  charsMin: bound('Characters a document has at least'),
  charsMax: bound('Characters a document has at most'),
  chineseShareMin: bound('Share of Chinese characters, at least'),
  symbolShareMax: bound('Share of symbols, at most'),
  digitShareMax: bound('Share of digits, at most'),
  urlShareMax: bound('Share of characters in addresses, at most'),
  boilerplateShareMax: bound('Share of lines that are boilerplate, at most'),
  repeatedLinesShareMax: bound('Share of lines said before, at most'),
  repeatedNgramsShareMax: bound('Share of characters in repeated n-grams, at most'),
})

noted(prepareOptions, {
  filters: 'Modules with filters of your own, run in workers; their content is pinned',
  tokenizer: 'A tokenizer.json for exact token counts; an estimate without it',
})

noted(nearOptions, {
  threshold: 'Jaccard similarity of the shingle sets from which on a text is a near-duplicate',
  ngram: 'Characters of a shingle',
  minima: 'Minima of a signature: more estimate better and cost time and memory',
  seed: 'Of the hash functions',
})

noted(dedupOptions, {
  exact: 'Drops texts that are equal in letters and digits',
  near: 'Drops texts that are nearly equal; false switches it off',
  index: 'exact verifies every hit; bloom takes a sixth of the memory; auto takes exact until indexBytesMax',
  indexBytesMax: 'Memory that auto allows an exact index',
  against: 'Earlier runs, or their index files: what they kept is dropped here',
})

const modelEntry = noted(
  modelOptions.extend({
    model: z.string().min(1).optional(),
    endpoints: z.array(z.union([z.literal('builtin'), z.url({ protocol: /^https?$/ })])).min(1),
    apiKey: secret.optional(),
  }),
  {
    model: `Name that the server knows it by; ${builtinModel} for the built-in server`,
    endpoints: free('Base addresses with /v1, or builtin alone: a stand-in server in this process, which needs no GPU'),
    apiKey: free('Environment variable with the key, sent as Authorization: Bearer'),
    headers: free('Sent with every request; a value may be env:NAME'),
    chatTemplateKwargs: 'Passed to the chat template, as { enable_thinking: false }',
    extraBody: "Fields added to every request's body",
    stream: free('Asks for streamed replies: for proxies that cut silent connections'),
    inFlightMax: free('Requests under way at one endpoint, at most'),
    limiter: free('auto follows the server below inFlightMax; fixed holds inFlightMax'),
    deadlineMs: free('Time for one reply; stands still while the endpoint is out'),
    triesMax: 'Replies asked for one record and stage, each with a seed of its own, before it is rejected',
    promptsPerRequest: free('Prompts in one request, for one-token stages'),
  },
)

noted(serverOptions, {
  outageMaxMs: free('The run stops, resumable, when a model had no working endpoint for longer'),
  startMaxMs: free('Time that a server which refuses connections has to start; then the recipe counts as wrong'),
  starveMs: free('A call that waited longer goes before later stages'),
})

const count = (fallback: number) => z.int().min(1).default(fallback)

const outputOptions = noted(
  z.strictObject({
    dir: z.string().min(1),
    candidatesPerCut: count(20_000),
    blocksPerCutMax: count(1000),
    shape: z.enum(['pairs', 'messages']).default('pairs'),
    ...cutOptions.shape,
    ...encoderOptions.shape,
  }),
  {
    dir: free('The run directory'),
    candidatesPerCut: 'A cut, the unit of what is durable, ends at the first block end with this many candidates',
    blocksPerCutMax: 'Or with this many blocks',
    shape: 'pairs: instruction and output; messages: one list of role and content',
    rowsPerFile: 'A split with more rows in a cut gets several files',
    rowGroupBytesMax: "Uncompressed bytes of a row group; the Hub's viewer wants less than 100 MB",
    encoder: 'Library that writes Parquet',
    codec: 'zstd (hyparquet-writer), gzip or snappy (parquetjs-lite); zstd or gzip when left out',
  },
)

noted(brakeOptions, {
  windowRecords: free('Records by which a stage is known at its start, and over which it is judged'),
  shareFallMax: free('Largest fall of the share of records kept, of Chinese, of replies in the format asked for'),
  shareRatioMin: free('And the smallest part of it that may be left: half the yield is drift where it was low, too'),
  lengthRatioMax: free('Factor by which the mean length may change, either way'),
  sameEndingRecords: free(
    'First records of the run, a split, a stage or a shard that may all end for one reason; false: also a run without rows is done',
  ),
})

const mirrorEntry = noted(mirrorOptions.extend({ token: secret.optional() }), {
  to: free('A folder, or hub:owner/name, a private dataset: run --from-mirror goes on from it on an empty machine'),
  everyMs: { ...free('So often what is new is copied; what was asked since is asked again'), unit: 'ms' },
  token: free('Environment variable with the token; HF_TOKEN or the token file when left out'),
})

/** No limit, where none is given. Not written to a recipe: JSON has no such number. */
const unlimited = Number.POSITIVE_INFINITY

const limits = noted(
  z.strictObject({
    rowsMax: z.int().min(1).default(unlimited),
    tokensMax: z.int().min(1).default(unlimited),
    hoursMax: z.number().positive().default(unlimited),
  }),
  {
    rowsMax: free('Rows after which the run drains; a higher limit goes on from there'),
    tokensMax: free(
      'Tokens of replies received in one call of run, after which it drains (exit code 3); the next goes on',
    ),
    hoursMax: free('Hours of one call of run, after which it drains (exit code 3); the next goes on'),
  },
)

const section = (description: string): FieldNote => ({ description })

export const recipeOptions = noted(
  z.strictObject({
    name,
    seed: z.int().min(0).default(1),
    sources: z.array(sourceEntry).min(1),
    read: sourceOptions.prefault({}),
    hub: hubOptions.prefault({}),
    workers: workersOptions.prefault({}),
    prepare: prepareOptions.extend({ dedup: dedupOptions.prefault({}) }).prefault({}),
    models: z.record(name, modelEntry),
    servers: serverOptions.prefault({}),
    kun: kunOptions,
    output: outputOptions,
    memory: noted(
      z.strictObject({
        inFlightMax: z
          .int()
          .min(1)
          .default(256 * 1024 * 1024),
        reorderBytesMax: z
          .int()
          .min(0)
          .default(64 * 1024 * 1024),
      }),
      {
        inFlightMax: { ...free('Blocks, and what is made from them, between source and output'), unit: 'bytes' },
        reorderBytesMax: free('Finished rows that wait for an earlier one; more go to a file'),
      },
    ).prefault({}),
    replies: noted(z.strictObject({ keep: z.boolean().default(true), from: z.array(z.string().min(1)).default([]) }), {
      keep: free('Keeps replies after their cut is committed; `replies: discard` is short for false'),
      from: free('Run directories whose replies are used before a server is asked'),
    }).prefault({}),
    limits: limits.prefault({}),
    brakes: z.union([z.literal(false), brakeOptions]).prefault({}),
    publish: noted(
      z.strictObject({
        repo: repository(),
        private: z.boolean().default(true),
        hubUrl: z.url({ protocol: /^https?$/ }).optional(),
        token: secret.optional(),
        license: z.string().min(1).optional(),
        fileBytes: z.int().min(1).default(500_000_000),
        whileRunning: z.boolean().default(false),
        everyMs: z.int().min(1000).default(600_000),
      }),
      {
        repo: free('Dataset on the Hub'),
        private: free('Whether it is made private when it does not exist yet'),
        hubUrl: free('Another Hub than the public one'),
        token: free('Environment variable with the token; HF_TOKEN or the token file when left out'),
        license: free('Licence for the card, as cc-by-4.0'),
        fileBytes: free('Consecutive cuts are joined to files of about this size'),
        whileRunning: free('Publishes files as they are filled, too; their final names come at the end'),
        everyMs: free('So often it is looked whether one is filled'),
      },
    ).optional(),
    mirror: mirrorEntry.optional(),
    onExit: z.string().min(1).optional(),
  }),
  {
    name: free('Names the run and the dataset'),
    seed: "Every request's seed comes from it, the record, the stage and the attempt",
    publish: { altersOutput: false, description: 'Left out: nothing is published' },
    brakes: free('Stops the run, resumable, when replies change character; false never does'),
    mirror: { altersOutput: false, description: 'Left out: nothing is copied' },
    onExit: free('A command that is started at the end with the exit code and the reason'),
    models: section('By a name of your choice'),
  },
)

/** A recipe with defaults filled in, sizes in bytes and durations in milliseconds. */
export type Recipe = z.output<typeof recipeOptions>
export type RecipeModel = z.output<typeof modelEntry>
export type RecipeSource = z.output<typeof sourceEntry>
