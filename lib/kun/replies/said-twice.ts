/** Finds paragraphs and sentences that a text says more than once. */

import { comparisonForm } from './comparison-form.js'

/** Letters of a paragraph that is not said twice by chance or as a refrain. */
const paragraphLettersMin = 24
/** Share of the letters that were said before from which a text repeats itself; of sentences with this many letters. */
const repeatedShareMin = 0.2
const sentenceLettersMin = 8
/** Shorter sentences count if they are said this often, over this share of the text. */
const timesMin = 4
const shortShareMin = 0.3
const shortLettersMin = 4

/**
 * Returns a paragraph or sentence that a text says again, or null. Blocks of code and rows of tables may repeat. Linear
 * in the text's length.
 */
export function saidTwice(text: string): string | null {
  const paragraphs = new Set<string>()
  const counts = new Map<string, number>()
  let letters = 0
  let repeated = 0
  let example = ''
  for (const line of proseLines(text)) {
    // Numbers of list items are not compared.
    const forms = line
      .replace(/^[\s\d.、（()）①-⑳*#-]{1,12}/u, '')
      .split(/[。！？!?；;]/u)
      .map(comparisonForm)
    const whole = forms.join('')
    if (whole.length >= paragraphLettersMin) {
      if (paragraphs.has(whole)) return line.trim()
      paragraphs.add(whole)
    }
    for (const form of forms) {
      letters += form.length
      if (form.length < shortLettersMin) continue
      const count = (counts.get(form) ?? 0) + 1
      counts.set(form, count)
      if (count === 1 || form.length < sentenceLettersMin) continue
      repeated += form.length
      example ||= form
    }
  }
  if (repeated >= repeatedShareMin * letters && repeated > 0) return example
  for (const [form, count] of counts) {
    if (count >= timesMin && count * form.length >= shortShareMin * letters) return form
  }
  return null
}

/**
 * Removes what a model wrote a second time in the same words: the whole text, or a paragraph of at least
 * `paragraphLettersMin` letters. What is left is as good as if it had been written once.
 */
export function withoutSecondCopy(text: string): string {
  const half = doubled(text)
  if (half !== null) return half
  if (text.includes('```') || text.includes('|')) return text
  const seen = new Set<string>()
  const kept = text.split('\n').filter((line) => {
    const form = comparisonForm(line)
    if (form.length < paragraphLettersMin) return true
    if (seen.has(form)) return false
    seen.add(form)
    return true
  })
  return kept.length === text.split('\n').length ? text : kept.join('\n').trim()
}

/** Returns A of a text that is AA, with blanks between. */
function doubled(text: string): string | null {
  const middle = text.length >> 1
  for (let at = Math.max(1, middle - 3); at <= Math.min(text.length - 1, middle + 3); at++) {
    const first = text.slice(0, at).trim()
    if (first.length >= paragraphLettersMin && first === text.slice(at).trim()) return first
  }
  return null
}

function proseLines(text: string): string[] {
  return text
    .split('```')
    .filter((_, index) => index % 2 === 0)
    .flatMap((block) => block.split('\n'))
    .filter((line) => !line.includes('|'))
}
