/** Measures how much of a reply is copied from the record's text. */

import { comparisonForm } from './comparison-form.js'

const gramLetters = 5

/** Returns the share of the reply's 5-grams of letters that the text has, 0 to 1. Linear in both lengths. */
function copyShare(reply: string, text: string): number {
  const from = comparisonForm(text)
  const known = new Set<string>()
  for (let at = 0; at + gramLetters <= from.length; at++) known.add(from.slice(at, at + gramLetters))
  const form = comparisonForm(reply)
  const count = form.length - gramLetters + 1
  if (count <= 0) return 0
  let copied = 0
  for (let at = 0; at < count; at++) if (known.has(form.slice(at, at + gramLetters))) copied++
  return copied / count
}

/** An instruction that continues or repeats the text: this share of it, and no question or request. */
const copiedShareMin = 0.8
const copiedLettersMin = 12

/** Whether an instruction is a sentence of the text in place of a request. */
export function isCopied(instruction: string, text: string): boolean {
  if (/[？?]|请|如何|怎样|怎么|为什么|什么|哪|说明|介绍|分析|解释|写|列|谈/u.test(instruction)) return false
  return comparisonForm(instruction).length >= copiedLettersMin && copyShare(instruction, text) >= copiedShareMin
}
