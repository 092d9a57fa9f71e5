/**
 * Bounds of the filters for kinds of text that are not web prose. Each difference from the defaults is one that good texts of the
 * kind need: fixtures/labelled/source-kinds.jsonl has them, and pages of the same sites that are still dropped. Laws,
 * judgments, poems and songs with refrains pass the defaults and need no kind.
 */
import type { QualityOptions } from '../quality-options.js'

export const textKinds = ['web', 'encyclopedia', 'exam', 'news', 'patent', 'textbook'] as const
export type TextKind = (typeof textKinds)[number]

export const kindBounds: Readonly<Record<TextKind, Partial<QualityOptions>>> = {
  /** The defaults. */
  web: {},
  /** Classifications, squads, results and lists of works are rows without function words. */
  encyclopedia: { functionWordsShareMin: false, classifierScoreMin: 0.1 },
  /** Formulas, numbers and pinyin outweigh Chinese; lines of options look like menus and tables; the classifier is trained on web pages. */
  exam: {
    chineseShareMin: 0.05,
    digitShareMax: 0.5,
    linkLinesShareMax: false,
    dataRowsShareMax: false,
    classifierScoreMin: false,
  },
  /** Reports of markets and of matches are figures and names. */
  news: { functionWordsShareMin: false, digitShareMax: 0.4, classifierScoreMin: 0.1 },
  /** Every claim repeats the one it depends on; examples are quantities. */
  patent: { keywordShareMax: false, digitShareMax: 0.45 },
  /** Word lists, formulas and exercises. */
  textbook: { chineseShareMin: 0.15, classifierScoreMin: false },
}
