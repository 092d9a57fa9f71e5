/**
 * The built-in filters. The first filter that rejects a document determines the reason: specific
 * ones come before general ones, and those that need a separate pass are last.
 * Measurements are in filters/; custom filters are in custom.ts.
 */
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
import type { QualityOptions } from './quality-options.js'
import { createRepetitionMeter, type RepetitionMeter } from './repetition.js'
import { loadBuiltinScreen } from './screen/builtin-screen.js'
import type { ScreenClassifier } from './screen/classifier.js'
import type { TextMemory } from './text-memory.js'

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
  readonly bounds: RuleBounds
}

/** @param memory of the cleaner whose texts are measured */
export function createTextMeters(memory: TextMemory): TextMeters {
  const meters = {
    repetition: createRepetitionMeter(memory),
    cuesOf: createCueMeter(memory),
    census: createCensusMeter(memory),
    classifier: loadBuiltinScreen(memory),
  }
  return { ...meters, once: new MetersOnce(meters), bounds: new RuleBounds() }
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
  rule('keyword-stuffing', 'keywordShareMax', (text, max, { repetition }) => keywordStuffing(text, max, repetition)),
  rule('function-words', 'functionWordsShareMin', (text, min, { census }) => functionWords(text, min, census)),
  rule('classifier', 'classifierScoreMin', (text, min, { classifier }) => classifierScore(text, min, classifier)),
] as const

export type FilterReason = (typeof rules)[number]['reason']

/** The reasons, in the order of the filters. */
export const filterReasons: readonly FilterReason[] = rules.map(({ reason }) => reason)

/** The bounds of the rules, in their order, looked up once for the texts that have the same options. */
class RuleBounds {
  #options: QualityOptions | null = null
  #bounds: readonly (number | false)[] = []

  of(options: QualityOptions): readonly (number | false)[] {
    if (options !== this.#options) {
      this.#options = options
      this.#bounds = rules.map(({ option }) => options[option])
    }
    return this.#bounds
  }
}

/** Returns the first filter's reason to reject the text, or null. @param options are not changed later */
export function filterText(text: CleanText, options: QualityOptions, meters: TextMeters): Rejection | null {
  const { once } = meters
  const bounds = meters.bounds.of(options)
  once.clear()
  for (let index = 0; index < rules.length; index++) {
    const bound = bounds[index]
    if (bound === undefined || bound === false) continue
    const { reason, reject } = rules[index] as (typeof rules)[number]
    const detail = reject(text, bound, once)
    if (detail !== null) return { reason, detail }
  }
  return null
}
