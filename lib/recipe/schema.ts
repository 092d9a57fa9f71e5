/**
 * The schema of a recipe. The options of each part are defined in the folder that uses them, with their
 * documentation; this file combines them and adds the fields that only a recipe has.
 */

import { z } from 'zod'
import { unpinned } from '../core/option-meta.js'
import { dedupOptions } from '../dedup/index.js'
import { hubRepo } from '../hub/settings.js'
import { hubTransportOptions } from '../hub/transport.js'
import { kunOptions } from '../kun/options.js'
import { endpointFile, modelOptions, serverOptions } from '../llm/options.js'
import { encoderOptions } from '../parquet/encoders/index.js'
import { mirrorOptions } from '../publish/mirror.js'
import { publishOptions } from '../publish/options.js'
import { driftOptions } from '../run/drift/detector.js'
import { cutOptions } from '../sinks/index.js'
import { presetNames, readOptions } from '../sources/index.js'
import { textKinds } from '../text/filters/kinds.js'
import { prepareOptions } from '../text/plan.js'
import { sourceQualityOptions } from '../text/quality-options.js'
import { workersOptions } from '../workers/options.js'

/** The name of an environment variable: a recipe does not contain secrets. */
const secret = z
  .string()
  .regex(/^env:[A-Za-z_]\w*$/)
  .meta({ allowed: 'the name of an environment variable, as env:VLLM_KEY (a secret is not written in a recipe)' })

const name = z
  .string()
  .regex(/^[\w.-]+$/)
  .meta({ allowed: 'letters, digits, _, - and dots' })

/** `model` of a recipe that uses the built-in server. */
export const builtinModel = 'builtin-extractive'

const text = z.string().min(1)
const httpUrl = z.url({ protocol: /^https?$/ })
const count = (fallback: number) => z.int().min(1).default(fallback)

const sourceEntry = z.strictObject({
  split: z
    .string()
    .regex(/^\w+(\.\w+)*$/)
    .meta({
      description: 'Split that the rows of this source belong to; several sources may share one, with a `name` each',
      allowed: 'letters, digits and _, with dots between them',
    }),
  name: name
    .optional()
    .describe('Name of the source in the column `source` and before the path in `shard`; the split by default'),
  preset: z
    .enum(presetNames)
    .optional()
    .describe('Field names of a known corpus (docs/sources.md); `text`, `id` and `title` override them'),
  files: z
    .array(text)
    .min(1)
    .meta(
      unpinned(
        'Globs, relative to the working directory, the repository or the run (there `data/*.parquet` by default), or s3://bucket/glob (docs/s3.md); one or a list; `!` excludes; `-` reads standard input',
      ),
    ),
  hub: hubRepo
    .optional()
    .meta(unpinned('Dataset on the Hub, whose shards run.json pins by content; without it the files are local')),
  run: text
    .optional()
    .meta(
      unpinned(
        'Run directory whose texts are read again, as a further round: the column `raw`, unless `text` names another',
      ),
    ),
  revision: text.optional().describe('Branch, tag or commit; `main` by default; run.json pins the commit'),
  token: secret.optional().meta(unpinned('Environment variable with a token of the Hub')),
  cache: text.optional().meta(unpinned('Folder in which whole shards of the Hub are kept')),
  text: text
    .optional()
    .describe('Field of the text; required without a preset or a run; a path (data.content) if no field has that name'),
  id: text.optional().describe("Field of the record's id"),
  title: text.optional().describe('Field of the title'),
  kind: z
    .enum(textKinds)
    .optional()
    .describe(
      'Kind of its texts, which sets bounds of the filters (docs/filters.md); encyclopedia for the preset wikipedia, else web',
    ),
  quality: sourceQualityOptions
    .optional()
    .describe('Bounds of the filters for this source, over those of its kind and of prepare.quality'),
})

const modelEntry = modelOptions.extend({
  model: modelOptions.shape.model
    .optional()
    .describe(`Name under which the server serves the model; ${builtinModel} for the built-in server`),
  endpoints: z
    .union([z.array(z.union([z.literal('builtin'), httpUrl])).min(1), endpointFile])
    .meta(
      unpinned(
        'Base URLs of the servers, with /v1; builtin alone: a stand-in server that needs no GPU; or { file: … } with a list that may change',
      ),
    ),
  apiKey: secret.optional().meta(modelOptions.shape.apiKey.meta() ?? {}),
})

const outputOptions = z.strictObject({
  dir: text.meta(unpinned('Run directory')),
  candidatesPerCut: count(20_000).describe(
    'A cut, the unit that becomes durable, ends at the first block end with this many candidates',
  ),
  blocksPerCutMax: count(1000).describe('A cut ends after this many blocks, too'),
  shape: z
    .enum(['pairs', 'messages'])
    .default('pairs')
    .describe('pairs: columns instruction and output; messages: one list of role and content'),
  ...cutOptions.shape,
  ...encoderOptions.shape,
})

const memoryOptions = z.strictObject({
  inFlightMax: z
    .int()
    .min(1)
    .default(256 * 1024 * 1024)
    .meta({ ...unpinned('Blocks, and values made from them, between source and output'), unit: 'bytes' }),
  reorderBytesMax: z
    .int()
    .min(0)
    .default(64 * 1024 * 1024)
    .meta(unpinned('Finished rows that wait for an earlier one; beyond it they are spilled to a file')),
})

const repliesOptions = z.strictObject({
  keep: z
    .boolean()
    .default(true)
    .meta(unpinned('Keeps replies after their cut is committed; `replies: discard` is short for false')),
  from: z.array(text).default([]).meta(unpinned('Run directories whose replies are used before a server is called')),
})

/** No limit. Omitted when a recipe is stored, because JSON has no infinity. */
const unlimited = Number.POSITIVE_INFINITY

const limitOptions = z.strictObject({
  rowsMax: z
    .int()
    .min(1)
    .default(unlimited)
    .meta(
      unpinned(
        'Rows of the run, exactly: the first ones in input order; a later run with a higher limit or none continues',
      ),
    ),
  tokensMax: z
    .int()
    .min(1)
    .default(unlimited)
    .meta(unpinned('Tokens received in one call of run, after which it drains (exit code 3); resumable')),
  hoursMax: z
    .number()
    .positive()
    .default(unlimited)
    .meta(unpinned('Hours of one call of run, after which it drains (exit code 3); resumable')),
})

const mirrorEntry = mirrorOptions.extend({
  token: secret.optional().meta(mirrorOptions.shape.token.meta() ?? {}),
})

const publishEntry = publishOptions
  .pick({ repo: true, private: true, hubUrl: true, token: true, license: true, fileBytes: true })
  .extend({
    private: publishOptions.shape.private.default(true),
    hubUrl: httpUrl.optional().meta(publishOptions.shape.hubUrl.meta() ?? {}),
    token: secret.optional().meta(publishOptions.shape.token.meta() ?? {}),
    whileRunning: z
      .boolean()
      .default(false)
      .meta(unpinned('Publishes files as they are filled; they get their final names at the end')),
    everyMs: z
      .int()
      .min(1000)
      .default(600_000)
      .meta(unpinned('Interval at which whileRunning looks for a file that is filled')),
  })

export const recipeOptions = z.strictObject({
  name: name.meta(unpinned('Name of the run and of its dataset')),
  seed: z
    .int()
    .min(0)
    .default(1)
    .describe('Seed of the run; the seed of a request derives from it, the record, the stage and the attempt'),
  sources: z.array(sourceEntry).min(1),
  read: readOptions.prefault({}),
  hub: hubTransportOptions.omit({ seed: true }).prefault({}),
  workers: workersOptions.prefault({}),
  prepare: prepareOptions.extend({ dedup: dedupOptions.prefault({}) }).prefault({}),
  models: z.record(name, modelEntry),
  servers: serverOptions.prefault({}),
  kun: kunOptions,
  output: outputOptions,
  memory: memoryOptions.prefault({}),
  replies: repliesOptions.prefault({}),
  limits: limitOptions.prefault({}),
  brakes: z
    .union([z.literal(false), driftOptions])
    .prefault({})
    .meta(unpinned('Drift detection: stops the run, resumable, when replies change in character; false disables it')),
  publish: publishEntry.optional().meta(unpinned('Publishes the dataset at the end; absent: no publishing')),
  mirror: mirrorEntry.optional().meta(unpinned('Copies the run to a second place; absent: no copies')),
  onExit: text.optional().meta(unpinned('Command that is started at the end with the exit code and the reason')),
})

/** A recipe with defaults filled in, sizes in bytes and durations in milliseconds. */
export type Recipe = z.output<typeof recipeOptions>
export type RecipeModel = z.output<typeof modelEntry>
export type RecipeSource = z.output<typeof sourceEntry>
