/**
 * Options of the simulator: one schema for callers, recipes and the command line.
 */
import { z } from 'zod'
import { InvalidOptionError } from '../../errors.js'
import { faultRule } from './fault-rules.js'

export const presetNames = ['instant', 'delay', 'qwen3-8b-h100', 'yi-34b-h100x2', 'qwen3-0.6b-h100'] as const
export type PresetName = (typeof presetNames)[number]

/** Capabilities that a simulator can lack, as other servers with this API do. */
const capabilityNames = [
  'metrics',
  'logprobs',
  'prompt-lists',
  'echo',
  'prompt-logprobs',
  'tokenize',
  'chat-template-kwargs',
  'models',
] as const
export type CapabilityName = (typeof capabilityNames)[number]

/** Milliseconds: constant, uniformly distributed, or log-normal with an arithmetic mean. */
const latencyOptions = z.union([
  z.number().min(0),
  z
    .strictObject({ min: z.number().min(0), max: z.number().min(0) })
    .refine(({ min, max }) => min <= max, 'min is over max'),
  z.strictObject({ mean: z.number().positive(), sigma: z.number().min(0), max: z.number().positive().optional() }),
])
export type LatencyOptions = z.output<typeof latencyOptions>

/**
 * Tokens of a reply, log-normal with an arithmetic mean, in place of the length of the text; grades are never replaced.
 */
const lengthOptions = z.strictObject({
  mean: z.number().positive(),
  sigma: z.number().min(0).default(1),
  max: z.number().int().positive().default(1_024),
  tasks: z
    .array(z.enum(['label', 'polish', 'free']))
    .min(1)
    .default(['label', 'polish', 'free']),
})

export const simulatorOptions = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Address to listen on'),
  port: z.number().int().min(0).max(65_535).default(0).describe('Port to listen on; 0 takes a free one'),
  models: z.array(z.string().min(1)).default([]).describe('Model name to serve, others get 404'),
  apiKey: z.string().min(1).optional().describe('Requests without this bearer token get 401'),
  preset: z
    .enum(presetNames)
    .default('instant')
    .describe(`Timing: ${presetNames.join(', ')}`),
  speed: z.number().positive().default(1).describe('Simulated seconds per second, for the GPU presets'),
  seed: z.number().int().min(0).max(0xffff_ffff).default(0).describe('Seed of latencies, lengths and fault rates'),
  latencyMs: latencyOptions.default(20).describe('Latency of the preset delay, in milliseconds'),
  lengths: lengthOptions.optional().describe('Reply lengths in tokens, log-normal, independent of the prompt'),
  contextTokensMax: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('Context length in tokens; by default of the preset'),
  promptsMax: z.number().int().positive().default(1_024).describe('Prompts in one request'),
  queueMax: z.number().int().min(0).optional().describe('Waiting requests before 503; by default no limit, as vLLM'),
  reasoning: z
    .enum(['none', 'think', 'reasoning-content'])
    .default('none')
    .describe('Reasoning in chat replies: none, think, reasoning-content'),
  nonce: z.boolean().default(false).describe('Adds eight random letters to every reply, and varies logprobs'),
  requestLog: z.string().min(1).optional().describe('File to which a JSON line is appended for each request'),
  missing: z
    .array(z.enum(capabilityNames))
    .default([])
    .describe(`Capabilities that the server lacks: ${capabilityNames.join(', ')}`),
  faults: z.array(faultRule).default([]).describe('Faults from the start; POST /admin/faults replaces them'),
})

/** Options for `startSimulator`; all optional. */
export type SimulatorOptions = z.input<typeof simulatorOptions>
export type FilledSimulatorOptions = z.output<typeof simulatorOptions>

/** @throws {InvalidOptionError} naming each option, the value found and what is allowed */
export function fillOptions(options: unknown): FilledSimulatorOptions {
  return check(simulatorOptions, options, 'simulator')
}

/** Parses with a schema; the error names every invalid field and its value. */
export function check<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const lines = result.error.issues.map((issue) => {
    const found = issue.path.reduce<unknown>(
      (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
      value,
    )
    const shown = found === undefined ? '' : ` (found ${JSON.stringify(found)?.slice(0, 80)})`
    return `${[what, ...issue.path].join('.')}: ${issue.message}${shown}`
  })
  throw new InvalidOptionError(lines.join('\n'), { details: { what } })
}
