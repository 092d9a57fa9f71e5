/**
 * Reads an object of replies by key, as scripted model servers use it: `{ KEY: { note, label, polish?, score?, expect } }`.
 * `expect` is a phrase; `expectedOf` reads all its forms. The polished answer that `row:clean` means is that of the
 * entry noted 'plain', and so is the instruction of which `drop or first only` keeps the first.
 */
import { z } from 'zod'
import { type Expected, type ReplyExample, replyShape, type ScriptedReply, scriptedReply } from './filters-examples.js'

const scoreShape = z.union([
  z.string(),
  z.strictObject({ text: z.string().default(''), finish: z.string().default('stop') }),
  z.strictObject({ top: z.record(z.string(), z.number()), first: z.string().optional() }),
])

const entryShape = z.strictObject({
  note: z.string(),
  label: replyShape,
  polish: replyShape.optional(),
  score: scoreShape.optional(),
  expect: z.string(),
  text: z.string().optional(),
})

type Entry = z.output<typeof entryShape>

/**
 * Returns the examples of an object of replies.
 *
 * @param roses the raw text of entries without one
 * @throws {z.ZodError} an entry has another shape
 */
export function keyedReplies(object: unknown, file: string, roses: string): ReplyExample[] {
  const entries = Object.entries(z.record(z.string(), entryShape).parse(object))
  const plain = entries.map(([, entry]) => entry).find(({ note }) => note === 'plain')
  return entries.map(([key, entry]) => {
    const { note: kind, text = roses, score, polish } = entry
    const labelled = scriptedReply(entry.label).text
    const example = { id: `${file}:${key}`, kind, text }
    if (score !== undefined) {
      const expected = { ...expectedOf(entry.expect, null, labelled), ...scoreExpectation(entry) }
      return { of: 'score', ...example, instruction: labelled, reply: scoreReply(score), expected }
    }
    if (polish !== undefined) {
      const clean = plain?.polish === undefined ? null : scriptedReply(plain.polish).text
      const reply = scriptedReply(polish === '__RAW__' ? text : polish)
      return {
        of: 'polish',
        ...example,
        instruction: labelled,
        reply,
        expected: expectedOf(entry.expect, clean, reply.text),
      }
    }
    const clean = plain === undefined ? null : scriptedReply(plain.label).text
    const expected = expectedOf(entry.expect, clean, labelled)
    return { of: 'label', ...example, instruction: '', reply: scriptedReply(entry.label), expected }
  })
}

/**
 * Reads a phrase: `row` any row · `row:TEXT` this text · `row:clean` the clean text · `row or drop` a drop, or a row
 * without anything around the clean text · `drop or first only`, `drop/clean` a drop or the clean text · `drop/mask` a
 * drop, or a row without the contact details · `format`, `cut`, `drop …`, `should drop …` a drop. A phrase with a question
 * mark, or another one, is not counted.
 */
function expectedOf(phrase: string, clean: string | null, reply: string): Expected {
  const expected = { drop: true, lacks: [], counted: true, reason: null, score: null }
  const exact = /^row:(.*)$/s.exec(phrase)?.[1]
  const cleanRows = clean === null ? ('any' as const) : [clean]
  if (exact !== undefined) return { ...expected, drop: false, rows: exact === 'clean' ? cleanRows : [exact] }
  if (phrase.includes('?')) return { ...expected, rows: 'any', counted: false }
  if (phrase.startsWith('row or drop')) {
    return { ...expected, rows: clean !== null && reply.includes(clean) ? [clean] : 'any' }
  }
  if (phrase.startsWith('row')) return { ...expected, drop: false, rows: 'any' }
  if (/^drop(?: or first only|\/clean)/.test(phrase)) return { ...expected, rows: cleanRows }
  if (phrase.startsWith('drop/mask')) return { ...expected, rows: 'any', lacks: detailsIn(reply) }
  if (/^(?:should )?drop|^(?:score-)?format|^cut/.test(phrase)) return { ...expected, rows: null }
  return { ...expected, rows: 'any', counted: false }
}

/** Returns the words with three digits in a row: numbers, addresses and names of accounts. */
function detailsIn(reply: string): string[] {
  return reply.match(/[\w@.-]+/g)?.filter((word) => /\d{3}/.test(word)) ?? []
}

/** `row ~.95` bounds the score; `format` must not be a grade that is too low. */
function scoreExpectation({ expect, score }: Entry): Partial<Expected> {
  const about = /^row ~(\.\d+)/.exec(expect)?.[1]
  if (about !== undefined) return { score: [Number(about) - 0.01, Number(about) + 0.01] }
  const shapes = typeof score === 'object' && 'top' in score
  return shapes && /^(?:score-)?format$/.test(expect) ? { reason: 'score-format' } : {}
}

function scoreReply(score: z.output<typeof scoreShape>): ScriptedReply {
  if (typeof score === 'string' || !('top' in score)) return scriptedReply(score)
  const likeliest = Object.entries(score.top).reduce(
    (best, token) => (token[1] > best[1] ? token : best),
    ['', -Infinity],
  )
  return { text: score.first ?? likeliest[0], finish: 'length', top: score.top }
}
