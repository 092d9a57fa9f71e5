/** Finds the material that an instruction brings with it: a text in quotes, after a colon, in a fence. */

/** Letters of a text that can be summarised, translated or corrected. */
const textLettersMin = 12
/** Letters of words, numbers or a question to work with. */
const itemLettersMin = 1

export interface Material {
  /** Something to work with: 高兴、认真. */
  readonly items: boolean
  /** A text: at least `textLettersMin` letters that are not a question or a request. */
  readonly text: boolean
}

/** Of bounded length, so that marks that are never closed cost no second pass. */
const quoted = /“([^“”]{0,400})”|「([^「」]{0,400})」|『([^『』]{0,400})』|"([^"\n]{0,400})"|《([^《》]{0,100})》/gu

/** Returns the material in the part of an instruction after `from`, and in quotes anywhere. */
export function materialIn(instruction: string, from: number): Material {
  if (instruction.includes('```')) return { items: true, text: true }
  const inQuotes = [...instruction.matchAll(quoted)].map((found) => letters(found.slice(1).find((each) => each) ?? ''))
  const mark = instruction.slice(from).search(/[：:\n]/u)
  const tail = mark < 0 ? '' : instruction.slice(from + mark + 1)
  const statements = tail
    .split(/(?<=[。？！?!；;\n])/u)
    .filter((sentence) => !/[？?]\s{0,4}$/u.test(sentence) && !/^\s{0,8}(?:请|要求|注意|并)/u.test(sentence))
    .join('')
  return {
    items: letters(tail) >= itemLettersMin || inQuotes.length > 0,
    text: letters(statements) >= textLettersMin || inQuotes.some((count) => count >= textLettersMin / 2),
  }
}

/** Whether the instruction names a work: 《背影》, “内卷”. */
export function namesWork(instruction: string): boolean {
  return instruction.search(quoted) >= 0
}

/** Replaces quoted words by a mark that counts as a subject. */
export function withoutQuoted(instruction: string): string {
  return instruction.replace(quoted, (found) => '〇'.padEnd(found.length, '〇'))
}

function letters(text: string): number {
  return text.replace(/[^\p{L}\p{N}]/gu, '').length
}
