/**
 * A vocabulary: the cues of one kind of text by weight. A strong cue (2 and over) occurs almost only in that kind; a weak
 * one (1) occurs in ordinary text too and counts at most as much as the strong ones; a counter-cue (negative) marks a
 * text *about* that kind: news, law, history.
 */

export interface Vocabulary {
  readonly name: string
  /** From a weight to the cues of that weight, divided by blanks and line ends. */
  readonly cues: Readonly<Record<number, string>>
}

export interface Cue {
  readonly phrase: string
  readonly weight: number
}

/** Weight from which a cue is strong. */
export const strongWeight = 2

/**
 * Returns the cues of a vocabulary. Latin letters match in lower case and in upper case.
 *
 * Shape: 2 code units at least; a phrase that is given with two weights has the last.
 */
export function cuesOf({ cues }: Vocabulary): Cue[] {
  const byPhrase = new Map<string, Cue>()
  for (const [weight, phrases] of Object.entries(cues)) {
    for (const phrase of phrases.split(/\s+/)) {
      for (const form of new Set([phrase, phrase.toUpperCase(), phrase.toLowerCase()])) {
        if (form.length >= 2) byPhrase.set(form, { phrase: form, weight: Number(weight) })
      }
    }
  }
  return [...byPhrase.values()]
}
