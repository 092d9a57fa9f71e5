/** Thresholds of the built-in filters. Apart from filters.ts, so that threads need not load the schemas. */

import { z } from 'zod'
import { keysOf, mapNames } from '../core/objects.js'

const share = z.union([z.number().min(0).max(1), z.literal(false)])
const chars = z.union([z.int().min(1), z.literal(false)])
const points = z.union([z.number().min(0), z.literal(false)])

/**
 * Thresholds; `false` disables a filter. Chosen for Chinese web text:
 * Chinese share and n-grams after EvalWeb (arXiv 2311.01149: minimum 30 % Chinese, maximum 50 % repeated 13-grams),
 * repeated lines after Gopher (arXiv 2112.11446, table A1: 30 %); the others were chosen so that prose passes: of
 * 7,468 documents of encyclopedia, news and classics none is rejected.
 */
export const qualityOptions = z.strictObject({
  charsMin: chars.default(20).describe('Minimum characters of a document; false disables the filter'),
  charsMax: chars.default(false).describe('Maximum characters of a document; false disables the filter'),
  chineseShareMin: share.default(0.3).describe('Minimum share of Chinese characters; false disables the filter'),
  symbolShareMax: share.default(0.25).describe('Maximum share of symbols; false disables the filter'),
  digitShareMax: share.default(0.3).describe('Maximum share of digits; false disables the filter'),
  urlShareMax: share.default(0.2).describe('Maximum share of characters in URLs; false disables the filter'),
  boilerplateShareMax: share.default(0.3).describe('Maximum share of boilerplate lines; false disables the filter'),
  mojibakeShareMax: share
    .default(0.03)
    .describe('Maximum share of characters decoded with the wrong character set; false disables the filter'),
  escapesShareMax: share
    .default(0.1)
    .describe('Maximum share of characters in escapes such as \\u4e2d or &#20013;; false disables the filter'),
  foreignScriptShareMax: share
    .default(0.25)
    .describe('Maximum share of kana and hangul among them and Chinese characters; false disables the filter'),
  rareHanShareMax: share
    .default(0.1)
    .describe('Maximum share of rare among Chinese characters; false disables the filter'),
  teaserCharsMin: chars
    .default(500)
    .describe('Minimum characters of a text that breaks off at a link to the rest; false disables the filter'),
  gamblingMax: points
    .default(7)
    .describe('Maximum weight of gambling cues per 300 characters; false disables the filter'),
  adultMax: points
    .default(8)
    .describe('Maximum weight of cues of sexual offers per 300 characters; false disables the filter'),
  advertisingMax: points
    .default(5)
    .describe('Maximum weight of advertising cues per 300 characters; false disables the filter'),
  spunMax: points
    .default(6)
    .describe('Maximum weight of cues of text for search engines per 300 characters; false disables the filter'),
  forumMax: points.default(6).describe('Maximum weight of forum cues per 300 characters; false disables the filter'),
  obfuscationShareMax: share
    .default(0.04)
    .describe(
      'Maximum share of characters inserted between others (separators, sounds in brackets); false disables the filter',
    ),
  characterRunsShareMax: share
    .default(0.2)
    .describe('Maximum share of characters in runs of one character; false disables the filter'),
  contactsMax: points
    .default(1.5)
    .describe('Maximum telephone numbers and e-mail addresses per 100 characters; false disables the filter'),
  dataRowsShareMax: share
    .default(0.6)
    .describe('Maximum share of characters in rows of tables and logs; false disables the filter'),
  linkLinesShareMax: share
    .default(0.7)
    .describe('Maximum share of characters in lines of links and menus; false disables the filter'),
  keywordShareMax: share
    .default(0.4)
    .describe('Maximum share of a repeated keyword, in texts of at most 600 characters; false disables the filter'),
  functionWordsShareMin: share
    .default(0.03)
    .describe('Minimum share of function words, unless there are sentences or verses; false disables the filter'),
  classifierScoreMin: share
    .default(0.2)
    .describe('Minimum score of the built-in classifier, 0 to 1; false disables the filter'),
  repeatedLinesShareMax: share.default(0.3).describe('Maximum share of repeated lines; false disables the filter'),
  repeatedNgramsShareMax: share
    .default(0.5)
    .describe('Maximum share of characters in repeated n-grams; false disables the filter'),
})

export type QualityOptions = z.output<typeof qualityOptions>

/** The same fields without defaults, for one source. */
export const sourceQualityOptions = z.strictObject(
  mapNames(keysOf(qualityOptions.shape), (name) =>
    qualityOptions.shape[name].unwrap().optional().describe(`\`prepare.quality.${name}\` for this source`),
  ),
)
