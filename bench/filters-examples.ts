/**
 * Labelled examples of `bench filters`: what a file of them holds, and the schema of the lines of one's own files.
 * docs/filters.md describes the format; filters-read.ts reads it, and filters-shapes.ts the other known shapes.
 */
import { z } from 'zod'
import { type TextKind, textKinds } from '../lib/text/filters/kinds.js'

/** A document and whether it is fit to train on. */
export interface DocumentExample {
  readonly of: 'document'
  readonly id: string
  readonly kind: string
  readonly label: 'keep' | 'drop'
  readonly text: string
  readonly title: string
  /** Kind of its source; the default bounds without one. */
  readonly source?: TextKind | undefined
  /** Strings that must be in what is left of the text, and strings that must not be. */
  readonly has: readonly string[]
  readonly lacks: readonly string[]
}

/** An instruction and whether it can be answered by itself. */
export interface InstructionExample {
  readonly of: 'instruction'
  readonly id: string
  readonly kind: string
  readonly label: 'good' | 'bad'
  readonly instruction: string
  readonly text: string
}

/** What a model replies. */
export interface ScriptedReply {
  readonly text: string
  /** The server's finish_reason. */
  readonly finish: string
  /** Token → log-probability of the first token; absent if the server gives none. */
  readonly top?: Readonly<Record<string, number>>
}

export interface Expected {
  /** Whether a drop is right. */
  readonly drop: boolean
  /** Texts of which a row must have one; 'any' text is right; null if no row is right. */
  readonly rows: readonly string[] | 'any' | null
  /** Strings that no row may have, such as contact details. */
  readonly lacks: readonly string[]
  /** False: both are defensible, so the example is run and shown but not counted. */
  readonly counted: boolean
  /** Reason that a drop must have; null for any. */
  readonly reason: string | null
  /** Least and greatest score of a row; null for any. */
  readonly score: readonly [number, number] | null
}

/** A reply of a model to a stage, and what must become of it. */
export interface ReplyExample {
  readonly of: 'label' | 'polish' | 'score'
  readonly id: string
  readonly kind: string
  /** The raw text that the reply is about. */
  readonly text: string
  /** '' for the label stage, which writes it. */
  readonly instruction: string
  readonly reply: ScriptedReply
  readonly expected: Expected
}

export type Example = DocumentExample | InstructionExample | ReplyExample

const words = z.array(z.string().min(1)).default([])

const documentLine = z.strictObject({
  id: z.string().optional(),
  kind: z.string().min(1),
  label: z.enum(['keep', 'drop']),
  text: z.string(),
  title: z.string().default(''),
  source: z.enum(textKinds).optional(),
  has: words,
  lacks: words,
})

const instructionLine = z.strictObject({
  id: z.string().optional(),
  kind: z.string().default(''),
  label: z.enum(['good', 'bad']),
  instruction: z.string(),
  text: z.string().optional(),
})

export const replyShape = z.union([
  z.string(),
  z.strictObject({
    text: z.string().default(''),
    finish: z.string().default('stop'),
    top: z.record(z.string(), z.number()).optional(),
  }),
])

const replyLine = z.strictObject({
  id: z.string().optional(),
  kind: z.string().min(1),
  stage: z.enum(['label', 'polish', 'score']),
  text: z.string().optional(),
  instruction: z.string().default(''),
  reply: replyShape,
  expect: z.enum(['row', 'drop', 'either', 'open']),
  rows: z.union([z.array(z.string().min(1)), z.literal('any')]).optional(),
  lacks: words,
  reason: z.string().optional(),
  score: z.tuple([z.number(), z.number()]).optional(),
})

type ReplyLine = z.output<typeof replyLine>

/**
 * Returns the example of a line of one's own file.
 *
 * @param place id if the line has none
 * @param roses text of examples without one
 * @throws {z.ZodError} a field is absent, unknown or of another type
 */
export function exampleOf(line: unknown, place: string, roses: string): Example {
  const fields = Object(line) as Readonly<Record<string, unknown>>
  if ('stage' in fields) {
    const read = replyLine.parse(line)
    const { id = place, kind, stage, text = roses, instruction } = read
    return { of: stage, id, kind, text, instruction, reply: scriptedReply(read.reply), expected: expectedOf(read) }
  }
  if ('instruction' in fields) {
    const { id = place, text = roses, ...rest } = instructionLine.parse(line)
    return { of: 'instruction', id, text, ...rest }
  }
  const { id = place, ...rest } = documentLine.parse(line)
  return { of: 'document', id, ...rest }
}

export function scriptedReply(reply: z.output<typeof replyShape>): ScriptedReply {
  if (typeof reply === 'string') return { text: reply, finish: 'stop' }
  const { text, finish, top } = reply
  return { text, finish, ...(top === undefined ? {} : { top }) }
}

function expectedOf({ stage, expect, rows, lacks, reply, reason, score }: ReplyLine): Expected {
  const unchanged = stage === 'score' ? ('any' as const) : [scriptedReply(reply).text.trim()]
  return {
    drop: expect !== 'row',
    rows: expect === 'drop' ? null : (rows ?? unchanged),
    lacks,
    counted: expect !== 'open',
    reason: reason ?? null,
    score: score ?? null,
  }
}
