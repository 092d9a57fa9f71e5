/** Filters on the vocabulary of a text: weighted cues per 300 characters, which ../cues.ts counts. */
import type { CleanText } from '../clean.js'
import { type CueMeter, cueScore, cueSpanChars, type VocabularyName } from '../cues.js'

/** Limits the weight of the cues of one vocabulary. */
export function cueDensity(name: VocabularyName, text: CleanText, scoreMax: number, cuesOf: CueMeter): string | null {
  const cues = cuesOf(text)
  if (cues === null) return null
  const score = cueScore(cues[name], text.length)
  if (score <= scoreMax) return null
  const { kinds } = cues[name]
  return `${score.toFixed(1)} points of ${name} per ${cueSpanChars} characters of at most ${scoreMax}, ${kinds} different cues`
}
