/**
 * Finds the topics of a text: its frequent words, joined if adjacent, without names of persons.
 * Deterministic; the words are those of Intl.Segmenter.
 */
import { stopWords } from './stop-list.js'

export interface KeyPhrase {
  readonly phrase: string
  /** Higher is more relevant; comparable within one text only. */
  readonly weight: number
}

/** Words read from the start of a text, which limits the time for one. */
const wordsMax = 2_000
const phraseCharsMax = 8
const surnames =
  '王李张刘陈杨黄赵周吴徐孙马胡朱郭何罗宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎潘杜戴夏钟汪田'
const numeral = /^[〇零一二三四五六七八九十百千万亿两几多余]+/u
const afterPerson = /^(?:说|道|表示|认为|指出|告诉|回忆|笑着|先生|女士|同志|教授|老师|医生|的妻子)/u
const segmenter = new Intl.Segmenter('zh', { granularity: 'word' })

/** Texts whose phrases are kept: each is labelled, polished, and both again after a faulty reply. Short ones are read anew. */
const textsKept = 2_048
const keptCharsMin = 100
const known = new Map<string, readonly KeyPhrase[]>()

/** Returns at most 6 phrases of 2 to 8 Chinese characters, the most relevant first. */
export function keyPhrases(text: string): readonly KeyPhrase[] {
  if (text.length < keptCharsMin) return phrasesOf(text)
  let phrases = known.get(text)
  if (phrases === undefined) {
    phrases = phrasesOf(text)
    if (known.size === textsKept) known.delete(known.keys().next().value as string) // the oldest
    known.set(text, phrases)
  }
  return phrases
}

/** Phrases of one text, at most. */
const phrasesMax = 6

function phrasesOf(text: string): KeyPhrase[] {
  const weights = new Map<string, number>()
  const firstAt = new Map<string, number>()
  let previous = ''
  let ordinal = 0
  for (const { segment, index } of segmenter.segment(text)) {
    if (++ordinal > wordsMax) break
    const word = isTopic(segment) && !isPerson(segment, text.slice(index + segment.length, index + 10)) ? segment : ''
    if (word !== '') note(word, index)
    if (word !== '' && previous !== '' && previous.length + word.length <= phraseCharsMax) note(previous + word, index)
    previous = word
  }
  const early = (phrase: string) => 1 + 0.5 / (1 + (firstAt.get(phrase) ?? 0) / 40)
  const ranked = [...weights]
    .map(([phrase, count]) => ({ phrase, weight: (phrase.length > 4 ? (count - 1) * 2 : count) * early(phrase) }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || (firstAt.get(a.phrase) ?? 0) - (firstAt.get(b.phrase) ?? 0))
  return withoutOverlaps(ranked, phrasesMax)

  function note(phrase: string, at: number): void {
    weights.set(phrase, (weights.get(phrase) ?? 0) + 1)
    if (!firstAt.has(phrase)) firstAt.set(phrase, at)
  }
}

function isTopic(word: string): boolean {
  return word.length >= 2 && /^\p{Script=Han}+$/u.test(word) && !numeral.test(word) && !stopWords.has(word)
}

/** A surname with one or two characters, followed by a word that is used with persons only. */
function isPerson(word: string, after: string): boolean {
  return word.length <= 3 && surnames.includes(word.charAt(0)) && afterPerson.test(after)
}

function withoutOverlaps(ranked: readonly KeyPhrase[], countMax: number): KeyPhrase[] {
  const chosen: KeyPhrase[] = []
  for (const candidate of ranked) {
    if (chosen.length === countMax) break
    const overlaps = chosen.some(({ phrase }) => phrase.includes(candidate.phrase) || candidate.phrase.includes(phrase))
    if (!overlaps) chosen.push(candidate)
  }
  return chosen
}
