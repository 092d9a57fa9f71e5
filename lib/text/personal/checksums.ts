/** Checksums of numbers that identify a person: resident identity numbers and payment cards. */

/** First two digits of an identity number: provinces, Taiwan, Hong Kong, Macao. Source: GB/T 2260. */
const provinces = new Set(
  '11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83'.split(' '),
)

const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const checkCharacters = '10X98765432'

/**
 * Returns whether 18 characters are a valid resident identity number: province, date of birth, and check character.
 * Source: GB 11643-1999 (ISO 7064, MOD 11-2).
 */
export function isIdNumber(number: string): boolean {
  if (!provinces.has(number.slice(0, 2))) return false
  if (!isDate(Number(number.slice(6, 10)), Number(number.slice(10, 12)), Number(number.slice(12, 14)))) return false
  let sum = 0
  for (let index = 0; index < 17; index++) sum += (weights[index] as number) * Number(number[index])
  return checkCharacters[sum % 11] === number[17]?.toUpperCase()
}

/** Returns whether 15 digits have the form of the identity numbers issued until 1999, which have no checksum. */
export function isOldIdNumber(number: string): boolean {
  const [year, month, day] = [6, 8, 10].map((at) => Number(number.slice(at, at + 2))) as [number, number, number]
  return provinces.has(number.slice(0, 2)) && isDate(1900 + year, month, day)
}

function isDate(year: number, month: number, day: number): boolean {
  if (year < 1900 || year > 2099 || month < 1 || month > 12 || day < 1) return false
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
  return day <= days
}

/**
 * Returns whether digits have the prefix and length of a payment card and a valid Luhn check digit (ISO/IEC 7812-1).
 *
 * Prefixes: UnionPay 62 with 16 to 19 digits; cards of ICBC from before it, 9558; Visa 4; Mastercard 51-55 and 2221-2720;
 * American Express 34 and 37; JCB 3528-3589; Discover 6011 and 65.
 */
export function isBankCard(digits: string): boolean {
  return cardPattern.test(digits) && isLuhn(digits)
}

const cardPattern =
  /^(?:62\d{14,17}|9558\d{12}(?:\d{3})?|4\d{15}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|35(?:2[89]|[3-8]\d)\d{12}|(?:6011|65\d\d)\d{12})$/

function isLuhn(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index])
    const doubled = index % 2 === 0 ? digit : 2 * digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
