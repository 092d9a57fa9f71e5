/**
 * Schemas of the options of models and their servers. Sizes and durations are numbers here, `apiKey: env:NAME` is
 * resolved, and `builtin` is replaced by the address of the simulator: all by the recipe.
 */
import { z } from 'zod'
import { unpinned } from '../core/option-meta.js'

/** A list of addresses in a file, which may change during the run. */
export const endpointFile = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .describe('Text file with one URL a line, read again every 3 s: servers are added and removed during the run'),
  })
  .meta({ allowed: '{ file: … }' })

const headerValues = z.record(z.string().regex(/^[\w-]+$/), z.string())

/** Options of one model; none but `model`, `chatTemplateKwargs`, `extraBody` and `triesMax` alters the output. */
export const modelOptions = z.strictObject({
  // Part of every reply's key.
  model: z.string().min(1).describe('Name under which the server serves the model'),
  endpoints: z
    .union([z.array(z.url({ protocol: /^https?$/ })).min(1), endpointFile])
    .meta(unpinned('Base URLs of the servers, with /v1: http://localhost:8000/v1; or { file: … } with a list of them')),
  headers: headerValues.default({}).meta(unpinned('Headers of every request; a value may be env:NAME')),
  apiKey: z
    .string()
    .min(1)
    .optional()
    .meta(unpinned('Environment variable with the key, sent as Authorization: Bearer')),
  chatTemplateKwargs: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Arguments of the chat template, such as { enable_thinking: false }'),
  extraBody: z.record(z.string(), z.unknown()).optional().describe("Fields added to every request's body"),
  stream: z
    .boolean()
    .default(false)
    .meta(unpinned('Requests streamed replies, for proxies that close silent connections')),
  inFlightMax: z
    .int()
    .min(1)
    .max(65_536)
    .default(8192)
    .meta(unpinned('Upper limit of concurrent requests to one endpoint')),
  limiter: z
    .enum(['auto', 'fixed'])
    .default('auto')
    .meta(unpinned('auto adapts to the server, up to inFlightMax; fixed keeps inFlightMax requests in flight')),
  deadlineMs: z
    .number()
    .min(1)
    .max(86_400_000)
    .default(600_000)
    .meta(unpinned('Time limit of one reply, from the request on; does not elapse while the endpoint is down')),
  triesMax: z
    .int()
    .min(1)
    .max(16)
    .default(3)
    .describe('Replies requested for one record and stage, each with its own seed, before the record is rejected'),
  promptsPerRequest: z
    .int()
    .min(1)
    .max(1024)
    .default(1)
    .meta(unpinned('Prompts in one request, for one-token completions at temperature 0')),
})

/** Options of a model, defaults filled in. */
export type ModelOptions = z.infer<typeof modelOptions>
/** Options of a model as given: those with a default are optional. */
export type ModelInput = z.input<typeof modelOptions>

/** The addresses of a model: a list, or a file with a list. */
export type Endpoints = readonly string[] | { readonly file: string }

/** Returns the addresses that the options list themselves; none if they are in a file. */
export function listedEndpoints(endpoints: Endpoints): readonly string[] {
  return 'file' in endpoints ? [] : endpoints
}

/** Returns the addresses for messages, or the name of their file. */
export function endpointNames(endpoints: Endpoints): readonly string[] {
  return 'file' in endpoints ? [endpoints.file] : endpoints
}

/** Options of all model servers of a run; none alters the output. */
export const serverOptions = z.strictObject({
  outageMaxMs: z
    .number()
    .min(0)
    .default(1_800_000)
    .meta(unpinned('The run stops, resumable, after a model had no working endpoint for longer than this')),
  startMaxMs: z
    .number()
    .min(0)
    .default(10_000)
    .meta(unpinned('Time that a server may take to accept connections at the start; after it the run fails')),
  // Not less than a label call usually waits: with 24 times as many records as slots, 24 times three calls of 20 s. At
  // 60 s every call would be overdue and the order lost.
  starveMs: z
    .number()
    .min(0)
    .default(3_600_000)
    .meta(unpinned('A call that waited longer is sent before calls of later stages')),
})

/** Options of all model servers, defaults filled in. */
export type ServerOptions = z.infer<typeof serverOptions>
