/**
 * Tables of words, and how much of a text they cover. Sentences about a reply ("以下是根据您提供的文字写出的指令") vary in order
 * and in adjectives; their vocabulary is small, so that coverage recognises forms that no list of sentences has.
 */

/** Longest match of a table at a place. */
export class WordTable {
  /** By first code unit, the longest first. */
  readonly #words = new Map<string, string[]>()

  /** @param words separated by white space; Latin letters match in any case */
  constructor(words: string) {
    for (const word of new Set(words.toLowerCase().trim().split(/\s+/))) {
      const first = word.charAt(0)
      const alike = this.#words.get(first)
      if (alike === undefined) this.#words.set(first, [word])
      else alike.push(word)
    }
    for (const alike of this.#words.values()) alike.sort((a, b) => b.length - a.length)
  }

  /** Returns the length of the longest word at `at` of a text in lower case; 0 if none starts there. */
  lengthAt(text: string, at: number): number {
    const alike = this.#words.get(text.charAt(at)) ?? []
    return alike.find((word) => text.startsWith(word, at))?.length ?? 0
  }

  /** Returns the parts of the text that no word covers, without blanks and punctuation. Linear in the text's length. */
  rest(given: string): string {
    const text = given.toLowerCase()
    let rest = ''
    for (let at = 0; at < text.length; ) {
      const length = this.lengthAt(text, at)
      if (length === 0) rest += text[at]
      at += Math.max(1, length)
    }
    return rest.replace(/[^\p{L}\p{N}]/gu, '')
  }

  /** Whether nothing but words of the table, blanks and punctuation is in the text. */
  covers(text: string): boolean {
    return this.rest(text) === ''
  }
}
