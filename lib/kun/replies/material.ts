/** Finds the material that an instruction brings with it: a text in quotes, after a colon, in a fence. */

/** Letters of a text that can be summarised, translated or corrected. */
const textLettersMin = 12
/** Letters of words, numbers or a question to work with. */
const itemLettersMin = 1

interface Material {
  /** Something to work with: 高兴、认真. */
  readonly items: boolean
  /** A text: at least `textLettersMin` letters that are not a question or a request. */
  readonly text: boolean
}

/** Of bounded length, so that marks that are never closed cost no second pass. */
const quoted = /“([^“”]{0,400})”|「([^「」]{0,400})」|『([^『』]{0,400})』|"([^"\n]{0,400})"|《([^《》]{0,100})》/gu

/** Returns the material in the part of an instruction after `from`, and in quotes anywhere. */
export function materialIn(instruction: string, from: number): Material {
  if (instruction.includes('```') || choices.test(instruction)) return { items: true, text: true }
  // 客户：… 基于以上对话回答：…: the text comes first.
  if (
    /^(?:以上|上述|上面|上边|前述|前面|上文|这|那)/u.test(instruction.slice(from)) &&
    hasTextBefore(instruction, from)
  ) {
    return { items: true, text: true }
  }
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

/** A. 鲨鱼 B. 海豚 */
const choices = /(?:^|[\s？?：:（(])A\s?[.、．)）：:][^\n]{1,60}\s{0,8}B\s?[.、．)）：:]/u

/** A paragraph, or a sentence of a text's length, before the reference. */
function hasTextBefore(instruction: string, from: number): boolean {
  const before = instruction.slice(0, from)
  const end = Math.max(before.lastIndexOf('\n'), before.lastIndexOf('。'))
  return end > 0 && letters(before.slice(0, end)) >= textLettersMin
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
