/**
 * Recognises identity numbers, cards and telephone numbers that begin at a digit. Every pattern is tried at one position and
 * has a bounded length, so that a text is read in linear time.
 */
import { isBankCard, isIdNumber, isOldIdNumber } from './checksums.js'
import type { PersonalItem } from './kinds.js'

/** Characters before and after a number that are looked at. */
const contextChars = 16

/** Returns the number of a person that begins at the first digit of a run of digits, or null. */
export function personalNumberAt(text: string, at: number): PersonalItem | null {
  const before = text.slice(Math.max(0, at - contextChars), at)
  if (isPartOfOther(before)) return null
  const run = digitsFrom(text, at)
  return (
    hiddenAt(text, at, run) ??
    idNumberAt(text, at, before, run) ??
    bankCardAt(text, at, before, run) ??
    phoneAt(text, at, before)
  )
}

/** Digits in a row from a place on, at most one more than any pattern has. Most patterns cannot match by their number. */
function digitsFrom(text: string, at: number): number {
  let run = 0
  while (run <= runMax && isDigit(text.charCodeAt(at + run))) run++
  return run
}

const runMax = 19

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** After a letter, a decimal point, an operator or a currency sign digits belong to a code, a figure or a formula. */
function isPartOfOther(before: string): boolean {
  const last = before.slice(-1)
  // No number in two halves: the words below end in no digit.
  if (isDigit(last.charCodeAt(0))) return true
  if (!/[\w.%#$¥￥€£=<>^~\\-]/.test(last)) return false
  return !/(?:^|[^A-Za-z])(?:tel|phone|mobile|mob|fax|qq|vx|wx|v|t|m)[.-]?$|(?:^|[^\w-])(?:\+|00)?86-$/i.test(before)
}

/** 138****0001, 110101********1234. */
function hiddenAt(text: string, at: number, run: number): PersonalItem | null {
  const next = text.charCodeAt(at + run)
  if (run < 3 || (next !== 0x2a && next !== 0xff0a)) return null
  const end = matchEnd(/1[3-9]\d[*＊]{4,5}\d{3,4}(?!\d)|\d{3,14}[*＊]{4,12}[\dXx]{0,4}(?!\d)/y, text, at)
  return end === null ? null : { kind: 'hidden', start: at, end }
}

function idNumberAt(text: string, at: number, before: string, run: number): PersonalItem | null {
  if (run < 6) return null
  const end = matchEnd(/\d{6}[ -]?(?:19|20)\d{6}[ -]?\d{3}[\dXx](?!\d)/y, text, at)
  if (end !== null && isIdNumber(text.slice(at, end).replace(/[ -]/g, ''))) return { kind: 'id-number', start: at, end }
  const old = run === 15 && /身份证[^\d\n]{0,6}$/.test(before) ? matchEnd(/\d{15}(?!\d)/y, text, at) : null
  if (old === null || !isOldIdNumber(text.slice(at, old))) return null
  return { kind: 'id-number', start: at, end: old }
}

/**
 * One number of 16 digits in ten has a valid check digit: except after the prefix of UnionPay, groups of four or a word
 * like 卡号 must show that it is a card.
 */
function bankCardAt(text: string, at: number, before: string, run: number): PersonalItem | null {
  if (run !== 4 && run < 8) return null
  const end = matchEnd(/\d{4}(?:[ -]?\d{4}){3}(?:[ -]?\d{1,3})?(?!\d)|3[47]\d\d[ -]?\d{6}[ -]?\d{5}(?!\d)/y, text, at)
  if (end === null || isQuantity(text, end)) return null
  const written = text.slice(at, end)
  const digits = written.replace(/[ -]/g, '')
  if (!isBankCard(digits)) return null
  const grouped = written.length > digits.length
  const shown = grouped || digits.startsWith('62') || /(?:卡|账号|帐号|账户|帐户|card)[^\d\n]{0,8}$/i.test(before)
  return shown && !numberName.test(before) ? { kind: 'bank-card', start: at, end } : null
}

const separator = '[-–—－ .·]'
const mobile = `1[3-9]\\d(?:\\d{8}|[-–—－ ]\\d{8}|${separator}\\d{4}${separator}\\d{4}|\\d[- ]\\d{3}[- ]\\d{4}|\\d\\d[- ]\\d{6}|\\d{4}[- ]\\d{4})(?!\\d)`
const areaCode = '(?:10|2\\d|[3-9]\\d{2})'
const subscriber = '(?:\\d{7,8}|\\d{3,4}[- ]\\d{4})(?!\\d)'
const extension = '(?:(?:转|分机)\\d{1,5}|[-－]\\d{1,4}(?!\\d))?'

const mobilePattern = new RegExp(`(?:(?:00)?86[- ]?)?${mobile}`, 'y')
const landlinePattern = new RegExp(`0${areaCode}[-–—－ ]{1,2}${subscriber}${extension}`, 'y')
const bracketPattern = new RegExp(`(?:86[- ]?)?0${areaCode}[)）] ?-? ?${subscriber}${extension}`, 'y')
const chinaPattern = new RegExp(`(?:00)?86[- ]?(?:[(（]?0[)）]?)?${areaCode}[- ]?${subscriber}${extension}`, 'y')
const gluedPattern = new RegExp(`0(?:(?:10|2\\d)\\d{8}|[3-9]\\d{9,10})(?!\\d)${extension}`, 'y')
const localPattern = new RegExp(`[2-8](?:\\d{6,7}|\\d{2,3}[- ]\\d{4})(?!\\d)${extension}`, 'y')
const taiwanPattern = /09\d\d-\d{3}-?\d{3}(?!\d)/y
const abroadPattern = /[1-9]\d{0,2}[- ]?(?:[(（]\d{1,4}[)）][- ]?)?\d{1,8}(?:[- ]\d{2,8}){0,4}(?!\d)/y

/** Words before a telephone number, and what may separate them from it. */
const phoneName =
  /(?:电话|手机|热线|座机|传真|联系方式|联系|拨打|致电|来电|咨询|报名|订购|预约|☎|📞|📱|tel|phone|mobile|fax)[号码是为：:；;.,，、\s(（+]{0,4}$/iu
/** Words before a number that is something else. */
const numberName =
  /(?:订单|单号|编号|序号|流水|批号|条码|条形码|isbn|issn|doi|专利|证书|学号|工号|案号|货号|型号|版本|代码|批次|运单|合同|发票|时间戳|[+×÷*=＝≈])[号码是为：:\s]{0,4}$/iu
/** Prefixes of numbers that companies and offices publish. */
const publicNumber = /^(?:400|800|95\d|96\d|1010|13800138000)/

function phoneAt(text: string, at: number, before: string): PersonalItem | null {
  const plus = before.endsWith('+')
  const bracket = /[(（]$/.test(before)
  const plain = plainPhoneEnd(text, at, bracket) ?? (plus ? abroadEnd(text, at, before) : null)
  const end = plain ?? namedPhoneEnd(text, at)
  if (end === null || publicNumber.test(text.slice(at, end)) || isQuantity(text, end)) return null
  const named = phoneName.test(before)
  if (!named && (plain === null || (!plus && numberName.test(before)))) return null
  const opened = plus || (bracket && /[)）]/.test(text.slice(at, end)))
  return { kind: 'phone', start: opened ? at - 1 : at, end }
}

/** Numbers whose form alone shows that they are telephone numbers. */
function plainPhoneEnd(text: string, at: number, bracket: boolean): number | null {
  const first = text.charAt(at)
  const end = '018'.includes(first) ? mobileEnd(text, at) : null
  if (end !== null || (first !== '0' && first !== '8')) return end
  const landline = matchEnd(landlinePattern, text, at) ?? matchEnd(taiwanPattern, text, at)
  return (
    landline ??
    (bracket ? matchEnd(bracketPattern, text, at) : null) ??
    (text.startsWith('0086', at) || text[at - 1] === '+' ? matchEnd(chinaPattern, text, at) : null)
  )
}

/** Numbers that are telephone numbers after a word that says so. */
function namedPhoneEnd(text: string, at: number): number | null {
  return matchEnd(chinaPattern, text, at) ?? matchEnd(gluedPattern, text, at) ?? matchEnd(localPattern, text, at)
}

/** Groups with blanks between them may be figures of a table: no further figure follows, except another number. */
function mobileEnd(text: string, at: number): number | null {
  const end = matchEnd(mobilePattern, text, at)
  if (end === null || !text.slice(at, end).includes(' ')) return end
  if (/\d[ ]$/.test(text.slice(Math.max(0, at - 2), at)) && text[at - 3] !== undefined && !isMobileBefore(text, at)) {
    return null
  }
  const follows = /^ \d/.test(text.slice(end, end + 2)) && matchEnd(mobilePattern, text, end + 1) === null
  return follows ? null : end
}

function isMobileBefore(text: string, at: number): boolean {
  return new RegExp(`${mobile} $`).test(text.slice(Math.max(0, at - contextChars), at))
}

/** A number with the code of another country has 9 to 15 digits (ITU-T E.164), and does not end a sum. */
function abroadEnd(text: string, at: number, before: string): number | null {
  if (/[\w)）\]] ?\+$/.test(before)) return null
  const end = matchEnd(abroadPattern, text, at)
  if (end === null) return null
  const digits = text.slice(at, end).replace(/\D/g, '').length
  return digits >= 9 && digits <= 15 ? end : null
}

/** Whether a unit or a share follows: the digits are an amount. */
function isQuantity(text: string, end: number): boolean {
  return quantity.test(text.slice(end, end + 4))
}

const quantity =
  /^(?:\.\d|,\d{3}|%|％|[_^=*×÷]\s?\d|\s?(?:元|万|亿|人|个|次|吨|米|公里|千|百|美|欧|日元|年|月|日|天|小时|分钟|秒|平方|立方|公斤|克|字节|比特|位数|只|头|株|棵|件|台|辆|册|本|页|行|条|步|光年|帧|倍|度))/

function matchEnd(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : null
}
