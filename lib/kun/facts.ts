/** Finds the facts of a text that can be compared as characters: numbers, parts of dates, Latin names. Linear. */

/**
 * Returns the numbers of a text in one form, and its Latin words of two letters or more in lower case.
 *
 * Numbers: full-width digits, separators of thousands, leading zeros and 万 or 亿 behind them do not matter; Chinese
 * numerals count by their value. Examples: '２，０００', '2000', '两千', '0.2万' → '2000'; '2023-05-06' → '2023', '5', '6'.
 *
 * @param which 'listed' leaves out what an answer adds as its form: numbers of a list at the start of a line, and single
 * Chinese numerals ('一个'); 'all' keeps them
 */
export function factsOf(text: string, which: 'all' | 'listed'): string[] {
  const facts: string[] = []
  const plain = text.normalize('NFKC')
  for (const [found] of plain.matchAll(/[A-Za-z][A-Za-z0-9]+/g)) facts.push(found.toLowerCase())
  for (const match of plain.matchAll(/(?<![A-Za-z0-9.])\d[\d,]{0,40}(?:\.\d{1,20})?/g)) {
    const [found] = match
    const end = match.index + found.length
    if (which === 'listed' && isListNumber(plain, match.index, end)) continue
    const unit = units[plain.charAt(end)] ?? 1
    facts.push(plainNumber(found.replaceAll(',', ''), unit))
    if (which === 'all' && unit > 1) facts.push(plainNumber(found.replaceAll(',', ''), 1))
  }
  for (const [found] of plain.matchAll(/[零〇一二两三四五六七八九十百千万亿]{1,20}/g)) {
    if (which === 'listed' && found.length === 1) continue
    const value = chineseNumber(found)
    if (value !== null) facts.push(value)
  }
  return facts
}

const units: Readonly<Record<string, number>> = { 万: 1e4, 亿: 1e8 }

/** Whether digits stand at the start of a line and a mark of a list follows: '1. ', '2、', '(3)'. */
function isListNumber(text: string, start: number, end: number): boolean {
  if (end - start > 2 || !/^[.、:)]/.test(text.slice(end, end + 1))) return false
  let at = start - 1
  while (at >= 0 && at >= start - indentMax && /[ \t(*#]/.test(text.charAt(at))) at--
  return at < 0 || text.charAt(at) === '\n'
}

/** Characters before the number of a list. */
const indentMax = 8

/** Returns a decimal number times its unit, without leading or trailing zeros. */
function plainNumber(digits: string, unit: number): string {
  if (unit === 1 && !digits.includes('.')) return digits.replace(/^0+(?=\d)/, '')
  return String(Number((Number(digits) * unit).toPrecision(15)))
}

const digitsOf: Readonly<Record<string, number>> = {
  ...{ 零: 0, 〇: 0, 一: 1, 二: 2, 两: 2, 三: 3, 四: 4 },
  ...{ 五: 5, 六: 6, 七: 7, 八: 8, 九: 9 },
}
const steps: Readonly<Record<string, number>> = { 十: 10, 百: 100, 千: 1000 }

/** Returns the value of Chinese numerals: '二〇二三' → '2023', '三千五百' → '3500'; null if they begin with a unit but 十. */
function chineseNumber(numerals: string): string | null {
  if (/^[百千万亿]/.test(numerals)) return null
  if (!/[十百千万亿]/.test(numerals)) {
    return plainNumber([...numerals].map((numeral) => digitsOf[numeral]).join(''), 1)
  }
  let total = 0
  let section = 0
  let digit = 0
  for (const numeral of numerals) {
    const value = digitsOf[numeral]
    const step = steps[numeral]
    if (value !== undefined) digit = value
    else if (step !== undefined) {
      section += (digit === 0 && section === 0 ? 1 : digit) * step
      digit = 0
    } else {
      const unit = units[numeral] as number
      total = (total + section + digit) * unit
      section = 0
      digit = 0
    }
  }
  return String(total + section + digit)
}
