/** Masks personal data in a text. */
import { codesOf } from '../code-units.js'
import { findPersonalData } from './find.js'
import { countPersonalItems, type PersonalCounts, type PersonalItem, personalMasks } from './kinds.js'

/** Replaces each item by its mask; hidden numbers are kept. */
export function maskItems(text: string, items: readonly PersonalItem[]): string {
  let masked = ''
  let from = 0
  for (const { kind, start, end } of items) {
    if (kind === 'hidden') continue
    masked += text.slice(from, start) + personalMasks[kind]
    from = end
  }
  return masked + text.slice(from)
}

interface MaskedText {
  readonly text: string
  /** Items that were masked, by kind. */
  readonly counts: PersonalCounts
}

/** Returns a text with its personal data masked. Linear in its length. */
export function maskPersonalData(text: string): MaskedText {
  const items = findPersonalData(codesOf(text), text.length, text)
  return { text: items.length === 0 ? text : maskItems(text, items), counts: countPersonalItems(items) }
}
