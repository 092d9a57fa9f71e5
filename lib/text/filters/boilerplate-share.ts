/** Filters on parts of a web page that are not text: URLs and boilerplate lines. */
import { hanOf } from '../census.js'
import { CharacterClass } from '../characters.js'
import type { CleanText } from '../clean.js'
import { linkEnd } from '../links.js'
import { over, visibleWithAsides } from './composition.js'

/** Limits the share of code units in URLs, except in a short text of sentences that names an address. */
export function urlDensity(text: CleanText, shareMax: number): string | null {
  const rejection = over(text.urlChars, visibleWithAsides(text), shareMax, 'in URLs')
  return rejection !== null && isInSentences(text) ? null : rejection
}

/** Whether the text has a sentence, and `hanPerUrlMin` ideographs, for each of its URLs. */
function isInSentences(text: CleanText): boolean {
  const { codes, length, counts } = text
  const sentences = counts[CharacterClass.sentenceEnd] as number
  const most = Math.min(sentences, Math.floor(hanOf(text) / hanPerUrlMin))
  let urls = 0
  for (let at = 0; at < length && urls <= most; at++) {
    const code = codes[at] as number
    if (code !== 0x3a && code !== 0x77) continue
    const end = linkEnd(codes, at)
    if (end === at) continue
    urls++
    at = end
  }
  return urls <= most
}

const hanPerUrlMin = 20

/**
 * Limits the share of page furniture in the text before the cut: short lines that contain a phrase of ../boilerplate.ts
 * and were kept, and lines that were cut (../furniture.ts). The latter weigh less, because they do no harm any more; but
 * a page of which half is furniture is a list of links with some words between.
 */
export function boilerplate(text: CleanText, shareMax: number): string | null {
  const furniture = cutWeight * text.furnitureChars + text.boilerplateChars
  return over(furniture, visibleWithAsides(text) + text.furnitureChars, shareMax, 'in boilerplate lines')
}

/** With the default limit of .3, a page may be cut by half. */
const cutWeight = 0.6
