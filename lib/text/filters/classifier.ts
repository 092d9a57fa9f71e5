/** Filter by the built-in classifier: a linear model of n-grams, trained on the labelled documents of fixtures/labelled. */
import { CharacterClass } from '../characters.js'
import type { CleanText } from '../clean.js'
import type { ScreenClassifier } from '../screen/classifier.js'

/** Code units of a text that are scored; the rest of a longer one is not read. */
const scoredCharsMax = 8000

/**
 * Rejects a text that the classifier scores as a page without value for training: advertising, lists, spam.
 *
 * Plain prose is not scored, which keeps preprocessing fast: a text of over `plainCharsMin` code units of which at most
 * `plainShareMax` are digits, Latin letters, symbols or ASCII punctuation offers no goods, numbers or links.
 */
export function classifierScore(text: CleanText, scoreMin: number, classifier: ScreenClassifier): string | null {
  const { length, counts, codes } = text
  let odd = 0
  for (const kind of oddClasses) odd += counts[kind] as number
  if (length > plainCharsMin && odd <= plainShareMax * length) return null
  const score = classifier.score(codes, 0, Math.min(length, scoredCharsMax))
  return score < scoreMin ? `score ${score} of at least ${scoreMin}` : null
}

const plainCharsMin = 300
const plainShareMax = 0.01

const oddClasses = [
  CharacterClass.digit,
  CharacterClass.latin,
  CharacterClass.letterW,
  CharacterClass.asciiPunctuation,
  CharacterClass.symbol,
  CharacterClass.colon,
  CharacterClass.dot,
]
