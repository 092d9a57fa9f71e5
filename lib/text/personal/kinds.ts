/** The kinds of personal data that are found in texts, and how each is masked. */

/** Mask of each kind: a word in brackets that Chinese text does not use otherwise, so that a sentence stays readable. */
export const personalMasks = {
  'id-number': '〔身份证号〕',
  'bank-card': '〔银行卡号〕',
  phone: '〔电话〕',
  email: '〔邮箱〕',
  qq: '〔QQ号〕',
  wechat: '〔微信号〕',
} as const

type PersonalKind = keyof typeof personalMasks

/** Something found in a text, at code units [start … end). */
export interface PersonalItem {
  /** 'hidden': a number of which some digits are replaced by asterisks. It is not masked, but shows a list of persons. */
  readonly kind: PersonalKind | 'hidden'
  readonly start: number
  readonly end: number
}

/** Number of items by kind, keys in order of code unit, without kinds that were not found. */
export type PersonalCounts = Readonly<Partial<Record<PersonalKind, number>>>

/** Counts the items; hidden ones, which are not masked, are not counted. */
export function countPersonalItems(items: readonly PersonalItem[]): PersonalCounts {
  const counts: Partial<Record<PersonalKind, number>> = {}
  const kinds = items.map(({ kind }) => kind).filter((kind) => kind !== 'hidden')
  for (const kind of kinds.sort()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

/** Returns the counts as words for the detail of a reject: '2 phone, 1 qq'. The data itself is never in a detail. */
export function describePersonalCounts(counts: PersonalCounts): string {
  return Object.entries(counts)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ')
}

/** Reads counts from words of `describePersonalCounts`. */
export function readPersonalCounts(detail: string): PersonalCounts {
  const counts: Partial<Record<PersonalKind, number>> = {}
  for (const [, count, kind] of detail.matchAll(/(\d{1,9}) ([a-z-]{1,20})/g))
    counts[kind as PersonalKind] = Number(count)
  return counts
}
