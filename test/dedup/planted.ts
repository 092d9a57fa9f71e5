/** Generated texts with planted copies of known exact Jaccard similarity, from a seed. */
import { comparisonForm } from '../../lib/text/signature.js'
import type { randomBelow } from '../support/random.js'

type Random = ReturnType<typeof randomBelow>

export function letters(random: Random, count: number): string {
  let text = ''
  for (let i = 0; i < count; i++) text += String.fromCharCode(0x4e00 + random(3000))
  return text
}

/** Replaces, drops or inserts letters at about this rate. */
export function edited(text: string, rate: number, random: Random): string {
  let out = ''
  for (const letter of text) {
    if (random(10_000) >= rate * 10_000) out += letter
    else if (random(3) > 0) out += letters(random, 1 + random(2))
  }
  return out
}

export function jaccard(one: string, other: string, ngram = 5): number {
  const [a, b] = [shingles(one, ngram), shingles(other, ngram)]
  let both = 0
  for (const shingle of a) if (b.has(shingle)) both++
  return both / (a.size + b.size - both)
}

function shingles(text: string, ngram: number): Set<string> {
  const form = comparisonForm(text)
  const set = new Set<string>()
  for (let at = 0; at + ngram <= form.length; at++) set.add(form.slice(at, at + ngram))
  return set
}
