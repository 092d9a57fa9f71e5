/**
 * Grades an instruction by rules in place of a judge model. Length and form determine most of the grade; noise derived from
 * the text makes grades cover 0 to 1.
 */
import { hashText, unit } from '../../random.js'
import { vagueReferences } from './stop-list.js'

/** Sum of the probabilities of the two grades; the rest is that of all other tokens. */
const mass = 0.98
/** Of the logistic distribution, in units of evidence. */
const opinionScale = 0.6
const asks = /[？?]|请|如何|怎样|怎么|为什么|什么|哪些|谈谈|说明|分析|介绍|写一|列出|比较|解释/u
const saysWhatToGive = /步骤|理由|原因|影响|作用|区别|联系|举例|角度|重点/u
const askedForUnseen = /图片|链接|附件|网址|材料如下|表格/u

export interface Grade {
  readonly good: boolean
  /** p(好) ÷ (p(好) + p(差)), from 0 to 1. */
  readonly share: number
  /** Natural logarithms of the probabilities of the tokens 好 and 差. */
  readonly logprobs: { readonly 好: number; readonly 差: number }
}

/** Returns the grade, which depends on the instruction only; `good` is true if that probability is larger. */
export function grade(instruction: string): Grade {
  const text = instruction.trim()
  const letters = [...text.matchAll(/[\p{Script=Han}\p{L}\p{N}]/gu)].length
  let evidence = 0.2
  evidence += letters < 5 ? -3 : letters < 10 ? -1 : letters < 14 ? 0.6 : letters <= 80 ? 1 : letters <= 200 ? 0 : -1.5
  evidence += asks.test(text) ? 1 : -1.5
  if (saysWhatToGive.test(text)) evidence += 0.5
  if (vagueReferences.test(text)) evidence -= 3
  if (askedForUnseen.test(text)) evidence -= 2
  if (/^[\p{Script=Han}]{2,4}$/u.test(text)) evidence -= 2
  if (/(.{2,8})\1{2,}/u.test(text.slice(0, 400))) evidence -= 3
  if (/[\ufffd]|[#*_~^|\\<>]{3,}/u.test(text)) evidence -= 3
  return gradeOf(1 / (1 + Math.exp(-(evidence + opinion(text, 7)))))
}

/** Noise: logistic around 0, beyond ±2.8 for 2 % of texts; the same for the same text. */
export function opinion(text: string, seed: number): number {
  const drawn = Math.min(1 - 1e-9, Math.max(1e-9, unit(hashText(text, seed))))
  return opinionScale * Math.log(drawn / (1 - drawn))
}

/** Returns the grade for a share of 好. */
export function gradeOf(share: number): Grade {
  const bounded = Math.min(0.999, Math.max(0.001, share))
  return {
    good: bounded >= 0.5,
    share: bounded,
    logprobs: { 好: Math.log(mass * bounded), 差: Math.log(mass * (1 - bounded)) },
  }
}
