/**
 * The faults of the simulator, and the rules that select requests for them. faults.ts evaluates the rules; the server
 * applies the faults.
 */
import { z } from 'zod'

/** Faults that replace a reply. */
export const transportFaults = [
  'context-length', // 400, "This model's maximum context length is …"
  'bad-request', // 400, another field
  'model-not-found', // 404
  'rate-limited', // 429 with Retry-After
  'rate-limited-bare', // 429 without
  'overloaded', // 503 with Retry-After
  'overloaded-bare', // 503 without
  'engine-error', // 500
  'engine-death', // 500, then /health 503, then refused connections
  'reset', // the connection is reset before any byte of the reply
  'reset-in-body', // the connection is reset after half of the body
  'truncated-json', // a complete HTTP reply whose JSON ends early
  'hang', // no reply at all until the client gives up
] as const

/** Faults in a well-formed reply. */
const contentFaults = [
  'choices-missing', // the last choice is not there
  'choices-shuffled', // in reverse order, each with its right index
  'finish-length', // cut in the middle, finish_reason length
  'empty', // no text
  'looping', // one phrase again and again
  'english', // the language has drifted
  'half-yield', // half of the instructions that would be good are graded 差
  'metrics-missing', // /metrics answers 404 from now on
] as const

export const faultKinds = [...transportFaults, ...contentFaults] as const
export type FaultKind = (typeof faultKinds)[number]

/**
 * When a fault applies: to generation requests number `after` + 1 to `until` (counted from the server's start or from
 * POST /admin/faults), on a share `rate` of them, those whose body holds `match` only, at most `times` times.
 *
 * Which requests a rate hits is given by the seed and, for transport faults, the number of the request (so that
 * a repeated one may pass); for content faults, the body (so that the same request meets the same fault in any order).
 */
export const faultRule = z.strictObject({
  kind: z.enum(faultKinds),
  rate: z.number().min(0).max(1).default(1),
  after: z.number().int().min(0).default(0),
  until: z.number().int().positive().optional(),
  match: z.string().min(1).optional(),
  times: z.number().int().positive().optional(),
  retryAfterSeconds: z.number().min(0).default(1),
  /** For 'engine-death': requests that still get a 500 before connections are refused. */
  refuseAfter: z.number().int().min(1).default(5),
  /** For 'engine-death': back again after this, counted from the death; never when absent. */
  reviveAfterMs: z.number().min(0).optional(),
})
export type FaultRuleOptions = z.input<typeof faultRule>
export type FaultRule = z.output<typeof faultRule>
