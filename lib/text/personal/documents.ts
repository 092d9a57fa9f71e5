/** Masks personal data in documents, or rejects documents that contain it, as `prepare.personal` says; counts both. */

import { CharacterClass } from '../characters.js'
import type { Cleaner, CleanText } from '../clean.js'
import { codesOf, codesToString } from '../code-units.js'
import { findPersonalData, wordCharsMin } from './find.js'
import { countPersonalItems, describePersonalCounts, type PersonalCounts, type PersonalItem } from './kinds.js'
import { maskItems, maskPersonalData } from './mask.js'
import type { personalActions } from './options.js'

export interface PersonalPlan {
  readonly personal: (typeof personalActions)[number]
  readonly personalPerThousandMax: number | false
}

/** Personal data found in the documents of a block, by kind. */
export interface PersonalAccount {
  readonly masked: PersonalCounts
  readonly dropped: PersonalCounts
}

/** Result for a document: its title, or why it is rejected. */
type PersonalVerdict = { readonly title: string } | { readonly reason: 'personal-data'; readonly detail: string }

/** Whether the text has as many ASCII word characters as the shortest item (find.ts), which most prose has not. */
function mayHaveItems({ counts }: CleanText): boolean {
  let words = 0
  for (const kind of wordClasses) words += counts[kind] as number
  return words >= wordCharsMin
}

const wordClasses = [
  CharacterClass.digit,
  CharacterClass.latin,
  CharacterClass.letterW,
  CharacterClass.asciiPunctuation,
  CharacterClass.dot,
]

/** Processes the documents of one thread. */
export class PersonalData {
  readonly #plan: PersonalPlan
  readonly #clean: Cleaner
  #masked: PersonalItem[] = []
  #dropped: PersonalItem[] = []

  /** @param clean cleans a masked text again, so that its units and figures are those of the new text */
  constructor(plan: PersonalPlan, clean: Cleaner) {
    this.#plan = plan
    this.#clean = clean
  }

  /** Masks the data in a cleaned text, which the cleaner overwrites, and in its title; or rejects the document. */
  apply(text: CleanText, title: string): PersonalVerdict {
    if (this.#plan.personal === 'keep') return { title }
    const inText = mayHaveItems(text) ? findPersonalData(text.codes, text.length) : []
    const inTitle = title === '' ? [] : findPersonalData(codesOf(title), title.length, title)
    if (inText.length + inTitle.length === 0) return { title }
    const items = [...inText, ...inTitle]
    const detail = this.#fault(items, text.length)
    if (detail !== null) {
      this.#dropped.push(...items)
      return { reason: 'personal-data', detail }
    }
    this.#masked.push(...items)
    if (inText.some(({ kind }) => kind !== 'hidden')) {
      this.#clean(maskItems(codesToString(text.codes, 0, text.length), inText))
    }
    return { title: maskItems(title, inTitle) }
  }

  /** Masks the start of a text for a reject, unless personal data is kept. */
  mask(excerpt: string): string {
    return this.#plan.personal === 'keep' ? excerpt : maskPersonalData(excerpt).text
  }

  /** Returns the account since the last call; null if nothing was found. */
  take(): PersonalAccount | null {
    const [masked, dropped] = [countPersonalItems(this.#masked), countPersonalItems(this.#dropped)]
    this.#masked = []
    this.#dropped = []
    return Object.keys(masked).length + Object.keys(dropped).length === 0 ? null : { masked, dropped }
  }

  #fault(items: readonly PersonalItem[], chars: number): string | null {
    const found = items.map(({ kind }) => kind)
    const counts = countPersonalItems(items)
    const hidden = found.filter((kind) => kind === 'hidden').length
    const described = [describePersonalCounts(counts), hidden === 0 ? '' : `${hidden} hidden`]
      .filter(Boolean)
      .join(', ')
    if (this.#plan.personal === 'drop' && hidden < found.length) return described
    const { personalPerThousandMax: bound } = this.#plan
    if (bound === false || items.length < 2 || items.length * 1000 <= bound * chars) return null
    return `${described} in ${chars} characters`
  }
}
