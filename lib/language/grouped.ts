/** Digits in groups of three, by commas in both languages: 12,000. */

/** Integers are grouped without Intl, whose first use takes 15 to 40 ms: more than a small command spends on its records. */
export function grouped(value: number): string {
  return Number.isSafeInteger(value) ? String(value).replace(/\B(?=(?:\d{3})+$)/g, ',') : value.toLocaleString('en-US')
}
