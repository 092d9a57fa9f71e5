/**
 * What a recipe says about one model and its endpoints. Sizes and durations arrive as numbers; `apiKey: env:NAME`
 * is resolved by the recipe before it comes here, and `builtin` has become the address of the simulator.
 */
import { z } from 'zod'

const headerValues = z.record(z.string().regex(/^[\w-]+$/), z.string())

/** Options of one model; none but `model`, `chatTemplateKwargs`, `extraBody` and `triesMax` alters the output. */
export const modelOptions = z.strictObject({
  /** The name the server knows it by; part of every reply's key. */
  model: z.string().min(1),
  /** Base addresses of servers that answer for this model, with `/v1`: `http://localhost:8000/v1`. */
  endpoints: z.array(z.url({ protocol: /^https?$/ })).min(1),
  /** Sent with every request to these endpoints. */
  headers: headerValues.default({}),
  /** Sent as `Authorization: Bearer`. */
  apiKey: z.string().min(1).optional(),
  /** Passed to the chat template, as `{"enable_thinking": false}`. */
  chatTemplateKwargs: z.record(z.string(), z.unknown()).optional(),
  /** Fields added to every request's body. */
  extraBody: z.record(z.string(), z.unknown()).optional(),
  /** Asks for streamed replies: for proxies that cut silent connections. */
  stream: z.boolean().default(false),
  /** Requests under way at one endpoint, at most; below it the limiter decides. */
  inFlightMax: z.int().min(1).max(65_536).default(8192),
  /** `auto` follows the server; `fixed` holds `inFlightMax` requests whatever it says. */
  limiter: z.enum(['auto', 'fixed']).default('auto'),
  /** Time for one reply, counted from when it was sent and standing still while the endpoint is out. */
  deadlineMs: z.number().min(1).max(86_400_000).default(600_000),
  /** Replies asked for one record and stage, each with a seed of its own, until the record is rejected. */
  triesMax: z.int().min(1).max(16).default(3),
  /** Prompts in one request, for one-token completions at temperature 0 only. */
  promptsPerRequest: z.int().min(1).max(1024).default(1),
})

/** Options of a model, defaults filled in. */
export type ModelOptions = z.infer<typeof modelOptions>
/** Options of a model as they may be given: what has a default may be left out. */
export type ModelInput = z.input<typeof modelOptions>

/** Options of all model servers of a run; none alters the output. */
export const serverOptions = z.strictObject({
  /** The run stops, resumable, when a model had no working endpoint for longer. */
  outageMaxMs: z.number().min(0).default(1_800_000),
  /** Longest wait for a server that cannot be reached when the run starts; 0 does not wait. */
  startMaxMs: z.number().min(0).default(10_000),
  /**
   * A call that waited longer goes before later stages. Not less than a label call waits in the ordinary: with 24 times
   * as many records as slots, 24 times three calls of 20 s; at 60 s all would be overdue and the order lost.
   */
  starveMs: z.number().min(0).default(3_600_000),
})

/** Options of all model servers, defaults filled in. */
export type ServerOptions = z.infer<typeof serverOptions>
