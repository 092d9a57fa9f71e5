/**
 * A vocabulary: the cues of one kind of text by weight. A strong cue (2 and over) occurs almost only in that kind; a weak
 * one (1) occurs in ordinary text too and counts at most as much as the strong ones; a counter-cue (negative) marks a
 * text *about* that kind: news, law, history.
 */

import { traditionalOf } from './traditional.js'

export interface Vocabulary {
  readonly name: string
  /** From a weight to the cues of that weight, divided by blanks and line ends. */
  readonly cues: Readonly<Record<number, string>>
}

interface Cue {
  readonly phrase: string
  readonly weight: number
}

/** Weight from which a cue is strong. */
export const strongWeight = 2

/**
 * Returns the cues of a vocabulary. Latin letters match in lower case and in upper case,
 * Chinese in simplified and in traditional characters.
 *
 * Shape: 2 code units at least; a phrase that is given with two weights has the last.
 */
export function cuesOf({ cues }: Vocabulary): Cue[] {
  const byPhrase = new Map<string, Cue>()
  for (const [weight, phrases] of Object.entries(cues)) {
    const add = (form: string): void => {
      if (form.length >= 2) byPhrase.set(form, { phrase: form, weight: Number(weight) })
    }
    for (const phrase of phrases.split(/\s+/)) {
      add(phrase)
      for (const form of [phrase.toUpperCase(), phrase.toLowerCase(), traditionalOf(phrase)]) {
        if (form !== phrase) add(form)
      }
    }
  }
  return [...byPhrase.values()]
}

/** Counter-cues of any vocabulary: reports, trials, law. */
export const reportCues = `
  本报讯 新华社 通讯员 本报记者 记者了解 记者采访 记者从 记者获悉 记者调查 记者 据报道 据媒体报道 媒体报道 据介绍 采访 警方 民警 公安机关 公安局 派出所 涉嫌 犯罪嫌疑人 嫌疑人 犯罪团伙 抓获 刑事拘留 有期徒刑 判处 被告人 原告 被告 法院 检察院 查获 查处 取缔 违法犯罪 违法 刑法 司法解释 诈骗 受害人 案件 诉讼 判决 第一条 第二条 第三条 人社部门 主管部门 有关部门 相关负责人`
