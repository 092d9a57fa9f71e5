/**
 * Marks of a line: which characters are in it that the patterns of furniture need. One pass over the line spares nearly all of
 * the patterns, each of which would walk over it.
 */

/** Sets of characters, as bits. */
export const LineMark = {
  colon: 1,
  digit: 2,
  blank: 4,
  /** Ends of sentences: 。！；. */
  sentence: 8,
  comma: 16,
  /** Between the words of a menu: bars, or anything else. */
  bar: 32,
  separator: 64,
  /** Arrows, slashes and dashes between the steps of a way. */
  trail: 128,
  /** In every pager: 页, 条, «. */
  pager: 256,
  /** In every notice of rights: 备, 证, ©, or the c or r of its English words. */
  rights: 512,
  owner: 1024,
  /** In messages that do not begin with one of `opensMessage`. */
  message: 2048,
  paywall: 4096,
  /** In words for a time that an entry was made at: 发表于. */
  stamp: 8192,
  /** Around a line: bullets, brackets, arrows; on the left, and on the right. */
  leftEdge: 16_384,
  rightEdge: 32_768,
  /** First characters of lines of a form. */
  opensNumber: 65_536,
  opensNotice: 131_072,
  opensFilter: 262_144,
  opensMessage: 524_288,
  opensPaywall: 1_048_576,
  opensCall: 2_097_152,
  opensLabel: 4_194_304,
} as const

const blanks =
  ' \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff'
const edges = `${blanks}-—–_*#|｜│>»›＞→←<«‹＜^▲▼◆◇●○■□★☆►▶•·・":：,，、.。`

/** The characters of each mark. */
const charactersOf: Readonly<Record<keyof typeof LineMark, string>> = {
  colon: '：:',
  digit: '0123456789',
  blank: blanks,
  sentence: '。！；',
  comma: '，',
  bar: '|｜│┃┊¦',
  separator: ' ·•・/>»›＞、【】[]（）()「」',
  trail: '>»›＞→/-',
  pager: '页頁章条«»‹›',
  rights: '备備证證©cCrR',
  owner: '版',
  message: '秒PG',
  paywall: '读看锁听未',
  stamp: '于新',
  leftEdge: `${edges}【〖「『《〈[（(“`,
  rightEdge: `${edges}】〗」』》〉]）)”!！?？…`,
  opensNumber: '0123456789（(第步',
  opensNotice: '【[（(*※★免版本特郑声注温转凡如未以文',
  opensFilter: '按排筛类地年价品',
  opensMessage: '该此您你暂还没正图页视内加缓跳已共',
  opensPaywall: '后余剩下完',
  opensCall: '请欢立赶快大用微手Q扫识长关搜添加点戳更想了获查如您你喜觉记别',
  opensLabel: '上下',
}

const marks: Uint32Array = (() => {
  const table = new Uint32Array(65_536)
  for (const [name, characters] of Object.entries(charactersOf)) {
    for (const character of characters) {
      const code = character.charCodeAt(0)
      table[code] = (table[code] as number) | LineMark[name as keyof typeof LineMark]
    }
  }
  return table
})()

/** Returns the marks of one code unit. */
export function marksAt(line: string, at: number): number {
  return at < line.length ? (marks[line.charCodeAt(at)] as number) : 0
}

/** Marks of one line at a time. */
export class LineMarks {
  /** Marks of all its characters. */
  all = 0
  colons = 0
  /** Runs of digits. */
  numbers = 0
  /** Characters of `separator`. */
  separators = 0

  read(line: string): void {
    let [all, colons, numbers, separators, before] = [0, 0, 0, 0, 0]
    for (let at = 0; at < line.length; at++) {
      const mark = marks[line.charCodeAt(at)] as number
      all |= mark
      colons += mark & LineMark.colon
      if ((mark & ~before & LineMark.digit) !== 0) numbers++
      if ((mark & LineMark.separator) !== 0) separators++
      before = mark
    }
    this.all = all
    this.colons = colons
    this.numbers = numbers
    this.separators = separators
  }

  has(mark: number): boolean {
    return (this.all & mark) !== 0
  }
}

/** Returns a line without the marks around its words. */
export function withoutEdges(line: string): string {
  let start = 0
  while ((marksAt(line, start) & LineMark.leftEdge) !== 0) start++
  let end = line.length
  while (end > start && (marksAt(line, end - 1) & LineMark.rightEdge) !== 0) end--
  return line.slice(start, end)
}

/** Returns a line without a number of up to six digits at its end, in brackets or not: 评论(12). */
export function withoutCount(line: string): string {
  let end = line.length
  const last = line.charCodeAt(end - 1)
  if (last === 0x29 || last === 0xff09) end--
  const digits = end
  while (end > 0 && digits - end < countDigitsMax && isDigit(line.charCodeAt(end - 1))) end--
  for (let openings = 0; openings < 2 && end > 0 && isOpening(line.charCodeAt(end - 1)); openings++) end--
  return line.slice(0, end)
}

const countDigitsMax = 6

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isOpening(code: number): boolean {
  return code === 0x20 || code === 0x28 || code === 0xff08
}
