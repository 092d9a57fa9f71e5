/**
 * The built-in filters and their thresholds. The first filter that rejects a document determines the reason: specific
 * ones come before general ones, and those that need a separate pass are last.
 * Measurements are in filters/; custom filters are in custom.ts.
 */
import { z } from 'zod'
import type { CleanText } from './clean.js'
import { boilerplate, urlDensity } from './filters/boilerplate-share.js'
import { chineseShare, digitShare, symbolShare } from './filters/composition.js'
import { tooLong, tooShort } from './filters/length.js'
import { repeatedLines, repeatedNgrams } from './filters/repetition.js'
import type { RepetitionMeter } from './repetition.js'

const share = z.union([z.number().min(0).max(1), z.literal(false)])
const chars = z.union([z.int().min(1), z.literal(false)])

/**
 * Thresholds; `false` disables a filter. Chosen for Chinese web text:
 * Chinese share and n-grams after EvalWeb (arXiv 2311.01149: minimum 30 % Chinese, maximum 50 % repeated 13-grams),
 * repeated lines after Gopher (arXiv 2112.11446, table A1: 30 %); the others were chosen so that prose passes: of
 * 7,468 documents of encyclopedia, news and classics none is rejected.
 */
export const qualityOptions = z.strictObject({
  charsMin: chars.default(50).describe('Minimum characters of a document; false disables the filter'),
  charsMax: chars.default(false).describe('Maximum characters of a document; false disables the filter'),
  chineseShareMin: share.default(0.3).describe('Minimum share of Chinese characters; false disables the filter'),
  symbolShareMax: share.default(0.25).describe('Maximum share of symbols; false disables the filter'),
  digitShareMax: share.default(0.3).describe('Maximum share of digits; false disables the filter'),
  urlShareMax: share.default(0.2).describe('Maximum share of characters in URLs; false disables the filter'),
  boilerplateShareMax: share.default(0.3).describe('Maximum share of boilerplate lines; false disables the filter'),
  repeatedLinesShareMax: share.default(0.3).describe('Maximum share of repeated lines; false disables the filter'),
  repeatedNgramsShareMax: share
    .default(0.5)
    .describe('Maximum share of characters in repeated n-grams; false disables the filter'),
})

export type QualityOptions = z.output<typeof qualityOptions>

interface Rejection {
  readonly reason: string
  readonly detail: string
}

/** The reasons, in the order of the filters. */
export const filterReasons = [
  'too-short',
  'too-long',
  'url-density',
  'boilerplate',
  'symbol-share',
  'digit-share',
  'chinese-share',
  'repeated-lines',
  'repeated-ngrams',
] as const

export function filterText(text: CleanText, options: QualityOptions, repetitionOf: RepetitionMeter): Rejection | null {
  return (
    rejectionBy('too-short', options.charsMin, (bound) => tooShort(text, bound)) ??
    rejectionBy('too-long', options.charsMax, (bound) => tooLong(text, bound)) ??
    rejectionBy('url-density', options.urlShareMax, (bound) => urlDensity(text, bound)) ??
    rejectionBy('boilerplate', options.boilerplateShareMax, (bound) => boilerplate(text, bound)) ??
    rejectionBy('symbol-share', options.symbolShareMax, (bound) => symbolShare(text, bound)) ??
    rejectionBy('digit-share', options.digitShareMax, (bound) => digitShare(text, bound)) ??
    rejectionBy('chinese-share', options.chineseShareMin, (bound) => chineseShare(text, bound)) ??
    filterRepetition(text, options, repetitionOf)
  )
}

function filterRepetition(text: CleanText, options: QualityOptions, repetitionOf: RepetitionMeter): Rejection | null {
  if (options.repeatedLinesShareMax === false && options.repeatedNgramsShareMax === false) return null
  const repetition = repetitionOf(text)
  return (
    rejectionBy('repeated-lines', options.repeatedLinesShareMax, (bound) => repeatedLines(repetition, bound)) ??
    rejectionBy('repeated-ngrams', options.repeatedNgramsShareMax, (bound) => repeatedNgrams(repetition, bound))
  )
}

function rejectionBy(
  reason: (typeof filterReasons)[number],
  bound: number | false,
  filter: (bound: number) => string | null,
): Rejection | null {
  if (bound === false) return null
  const detail = filter(bound)
  return detail === null ? null : { reason, detail }
}
