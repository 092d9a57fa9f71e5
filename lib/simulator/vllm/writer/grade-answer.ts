/** Grades an answer against its instruction or its text by the characters they share, in place of a judge model. */
import { type Grade, gradeOf, opinion } from './grade.js'

/** Characters that are compared. */
const charsMax = 4_000

/** Returns the grade: higher the more pairs of characters of the shorter text are in the longer one. */
export function gradeAnswer(from: string, answer: string): Grade {
  const [shorter, longer] = from.length < answer.length ? [from, answer] : [answer, from]
  const known = new Set(pairsOf(longer))
  const pairs = pairsOf(shorter)
  const shared = pairs.filter((pair) => known.has(pair)).length / Math.max(1, pairs.length)
  const evidence = -1 + 6 * shared + opinion(answer, 13)
  return gradeOf(1 / (1 + Math.exp(-evidence)))
}

function pairsOf(text: string): string[] {
  const letters = text.slice(0, charsMax).replace(/[^\p{L}\p{N}]/gu, '')
  return Array.from({ length: Math.max(0, letters.length - 1) }, (_, at) => letters.slice(at, at + 2))
}
