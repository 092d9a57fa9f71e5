/** Finds instructions that ask to continue a text which they do not bring along: 请接着往下写。 */

import { materialIn, namesWork } from './material.js'
import { subjectAndResultOf, subjectOf } from './requests.js'

/** Letters of a subject: a text of which the instruction says what it is about. */
const subjectLettersMin = 2

const continues =
  /(?:接着|继续|顺着|往下|接下去)(?:往下|上文|前文|继续|接着|把(?:它|故事|文章))?(?:写|编|讲|说|叙述|创作|补)(?!作)|续[写编](?!能力|题|方法|技巧)|(?:写|编|讲|说)下去|(?:后面|剩下|余下|接下来|没写完|缺失)的?[^，。？]{0,6}(?:补|写|续)(?:充)?(?:完整?|全|好|出来)|(?:根据|按照|接着|顺着)(?:所给|给出|给定)?的?开头(?:续|往下|接着|写)/u

/**
 * Returns the words that ask to continue a text, or null. Not where the instruction has its beginning (续写：…, “…”), names
 * it (续写《背影》), or says what it is about (续写小红帽的故事).
 */
export function continuesNothing(instruction: string): string | null {
  const found = continues.exec(instruction)
  if (found === null || namesWork(instruction)) return null
  const material = materialIn(instruction, 0)
  if (material.text) return null
  const start = instruction.slice(0, found.index).search(/[^，。；！？,;!?\n]*$/u)
  if (subjectOf(instruction.slice(0, start)).length >= subjectLettersMin) return null
  const clause = /^[^，。；！？,;!?\n]*/u.exec(instruction.slice(start))?.[0] ?? ''
  return subjectAndResultOf(clause).length >= subjectLettersMin ? null : found[0]
}
