/**
 * The built-in filters and their thresholds. The first filter that rejects a document determines the reason: specific
 * ones come before general ones, and those that need a separate pass are last.
 * Measurements are in filters/; custom filters are in custom.ts.
 */
import { z } from 'zod'
import { type CensusMeter, createCensusMeter } from './census.js'
import type { CleanText } from './clean.js'
import { type CueMeter, createCueMeter } from './cues.js'
import { boilerplate, urlDensity } from './filters/boilerplate-share.js'
import { classifierScore } from './filters/classifier.js'
import { chineseShare, digitShare, symbolShare } from './filters/composition.js'
import { cueDensity } from './filters/cue-density.js'
import { escapedText, foreignScript, functionWords, mojibake, rareHan } from './filters/encoding.js'
import { teaser, tooLong, tooShort } from './filters/length.js'
import { characterRuns, obfuscated } from './filters/obfuscation.js'
import { contactList, dataRows, linkList } from './filters/records.js'
import { keywordStuffing, repeatedLines, repeatedNgrams } from './filters/repetition.js'
import { createRepetitionMeter, type RepetitionMeter } from './repetition.js'
import { loadBuiltinScreen } from './screen/builtin-screen.js'
import type { ScreenClassifier } from './screen/classifier.js'
import type { TextMemory } from './text-memory.js'

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
    .default(0.035)
    .describe('Minimum share of function words, unless there are sentences or verses; false disables the filter'),
  classifierScoreMin: share
    .default(0.3)
    .describe('Minimum score of the built-in classifier, 0 to 1; false disables the filter'),
  repeatedLinesShareMax: share.default(0.3).describe('Maximum share of repeated lines; false disables the filter'),
  repeatedNgramsShareMax: share
    .default(0.5)
    .describe('Maximum share of characters in repeated n-grams; false disables the filter'),
})

export type QualityOptions = z.output<typeof qualityOptions>

type BoundShape = { [Name in keyof QualityOptions]: z.ZodOptional<z.ZodType<QualityOptions[Name]>> }

/** The same fields without defaults, for one source. */
export const sourceQualityOptions = z.strictObject(
  Object.fromEntries(
    Object.entries(qualityOptions.shape).map(([name, bound]) => [
      name,
      bound.unwrap().optional().describe(`\`prepare.quality.${name}\` for this source`),
    ]),
  ) as unknown as BoundShape,
)

interface Rejection {
  readonly reason: FilterReason
  readonly detail: string
}

/** Meters of one thread, for the texts of one memory. */
interface Meters {
  readonly repetition: RepetitionMeter
  readonly cuesOf: CueMeter
  readonly census: CensusMeter
  readonly classifier: ScreenClassifier
}

export interface TextMeters extends Meters {
  /** The same, which measure a text once, however many filters need it. */
  readonly once: MetersOnce
}

/** @param memory of the cleaner whose texts are measured */
export function createTextMeters(memory: TextMemory): TextMeters {
  const meters = {
    repetition: createRepetitionMeter(memory),
    cuesOf: createCueMeter(memory),
    census: createCensusMeter(memory),
    classifier: loadBuiltinScreen(),
  }
  return { ...meters, once: new MetersOnce(meters) }
}

class MetersOnce implements Meters {
  readonly #repetition
  readonly #cues
  readonly #sample
  readonly #exact
  readonly repetition: RepetitionMeter
  readonly cuesOf: CueMeter = (text) => this.#cues.of(text)
  readonly census: CensusMeter = {
    sample: (text) => this.#sample.of(text),
    exact: (text) => this.#exact.of(text),
  }
  readonly classifier: ScreenClassifier

  constructor({ repetition, cuesOf, census, classifier }: Meters) {
    this.#repetition = new OncePerText(repetition.exact)
    this.repetition = { ...repetition, exact: (text) => this.#repetition.of(text) }
    this.#cues = new OncePerText(cuesOf)
    this.#sample = new OncePerText(census.sample)
    this.#exact = new OncePerText(census.exact)
    this.classifier = classifier
  }

  /** Forgets the text that was measured. */
  clear(): void {
    this.#repetition.clear()
    this.#cues.clear()
    this.#sample.clear()
    this.#exact.clear()
  }
}

/** A measurement of one text, made when it is first needed. */
class OncePerText<Value> {
  #value: Value | undefined
  readonly #measure: (text: CleanText) => Value

  constructor(measure: (text: CleanText) => Value) {
    this.#measure = measure
  }

  of(text: CleanText): Value {
    if (this.#value === undefined) this.#value = this.#measure(text)
    return this.#value
  }

  clear(): void {
    this.#value = undefined
  }
}

interface Rule<Reason extends string> {
  readonly reason: Reason
  readonly option: keyof QualityOptions
  /** Returns the detail of the reject, or null. */
  readonly reject: (text: CleanText, bound: number, meters: Meters) => string | null
}

function rule<const Reason extends string>(
  reason: Reason,
  option: keyof QualityOptions,
  reject: Rule<Reason>['reject'],
): Rule<Reason> {
  return { reason, option, reject }
}

const rules = [
  rule('too-short', 'charsMin', tooShort),
  rule('too-long', 'charsMax', tooLong),
  rule('url-density', 'urlShareMax', urlDensity),
  rule('boilerplate', 'boilerplateShareMax', boilerplate),
  rule('mojibake', 'mojibakeShareMax', (text, max, { census }) => mojibake(text, max, census)),
  rule('escapes', 'escapesShareMax', escapedText),
  rule('foreign-script', 'foreignScriptShareMax', (text, max, { census }) => foreignScript(text, max, census)),
  rule('rare-han', 'rareHanShareMax', (text, max, { census }) => rareHan(text, max, census)),
  rule('teaser', 'teaserCharsMin', teaser),
  rule('gambling', 'gamblingMax', (text, max, { cuesOf }) => cueDensity('gambling', text, max, cuesOf)),
  rule('adult', 'adultMax', (text, max, { cuesOf }) => cueDensity('adult', text, max, cuesOf)),
  rule('advertising', 'advertisingMax', (text, max, { cuesOf }) => cueDensity('advertising', text, max, cuesOf)),
  rule('spun-text', 'spunMax', (text, max, { cuesOf }) => cueDensity('spun', text, max, cuesOf)),
  rule('forum-page', 'forumMax', (text, max, { cuesOf }) => cueDensity('forum', text, max, cuesOf)),
  rule('symbol-share', 'symbolShareMax', symbolShare),
  rule('chinese-share', 'chineseShareMin', chineseShare),
  rule('obfuscated', 'obfuscationShareMax', obfuscated),
  rule('character-runs', 'characterRunsShareMax', (text, max, { census }) => characterRuns(text, max, census)),
  rule('contact-list', 'contactsMax', contactList),
  rule('data-rows', 'dataRowsShareMax', dataRows),
  rule('link-list', 'linkLinesShareMax', linkList),
  rule('digit-share', 'digitShareMax', digitShare),
  rule('repeated-lines', 'repeatedLinesShareMax', (text, max, { repetition }) => repeatedLines(text, max, repetition)),
  rule('repeated-ngrams', 'repeatedNgramsShareMax', (text, max, { repetition }) =>
    repeatedNgrams(text, max, repetition),
  ),
  rule('keyword-stuffing', 'keywordShareMax', keywordStuffing),
  rule('function-words', 'functionWordsShareMin', (text, min, { census }) => functionWords(text, min, census)),
  rule('classifier', 'classifierScoreMin', (text, min, { classifier }) => classifierScore(text, min, classifier)),
] as const

export type FilterReason = (typeof rules)[number]['reason']

/** The reasons, in the order of the filters. */
export const filterReasons: readonly FilterReason[] = rules.map(({ reason }) => reason)

/** Returns the first filter's reason to reject the text, or null. */
export function filterText(text: CleanText, options: QualityOptions, meters: TextMeters): Rejection | null {
  const { once } = meters
  once.clear()
  for (const { reason, option, reject } of rules) {
    const bound = options[option]
    if (bound === false) continue
    const detail = reject(text, bound, once)
    if (detail !== null) return { reason, detail }
  }
  return null
}
