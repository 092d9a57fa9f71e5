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
  'hang', // no reply until the client disconnects
] as const

/** Faults in a well-formed reply. */
const contentFaults = [
  'choices-missing', // the last choice is missing
  'choices-shuffled', // in reverse order, each with its correct index
  'finish-length', // cut in the middle, finish_reason length
  'empty', // no text
  'looping', // one phrase, repeated
  'english', // the reply is in English
  'half-yield', // half of the instructions that the writer grades 好 are graded 差
  'metrics-missing', // /metrics returns 404 from now on
] as const

export const faultKinds = [...transportFaults, ...contentFaults] as const
export type FaultKind = (typeof faultKinds)[number]

/**
 * When a fault applies: to generation requests number `after` + 1 to `until` (counted from the server's start or from
 * POST /admin/faults), to a share `rate` of them, only if the body contains `match`, at most `times` times.
 *
 * Which requests a rate selects depends on the seed and, for transport faults, on the number of the request (so that
 * a retry may pass); for content faults, on the body (so that a request gets the same fault in any order).
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
  /** For 'engine-death': time from the crash to the restart; absent: no restart. */
  reviveAfterMs: z.number().min(0).optional(),
})
export type FaultRuleOptions = z.input<typeof faultRule>
export type FaultRule = z.output<typeof faultRule>
