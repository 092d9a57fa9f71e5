/**
 * The built-in extractive writer: what a model would reply to a prompt, given by the prompt and the seed alone.
 * It knows nothing of tokens, HTTP or time.
 */
import { hashText } from '../../random.js'
import { type Grade, grade } from './grade.js'
import { writeInstruction } from './instruction.js'
import { polish } from './polish.js'
import { recognise } from './task.js'

export interface Draft {
  readonly task: 'label' | 'grade' | 'polish' | 'free'
  /** What a reasoning model thinks before it replies. */
  readonly reasoning: string
  readonly text: string
  /** For 'grade': what the logprobs of 好 and 差 are to say. */
  readonly grade?: Grade
}

/** The reply to `prompt`. Another seed gives another instruction; a grade and an answer do not depend on it. */
export function write(prompt: string, seed: number): Draft {
  const task = recognise(prompt)
  if (task.kind === 'label') {
    const text = writeInstruction(task.text, seed)
    return { task: 'label', reasoning: `先看文字的主题，再想它回答了什么问题。候选指令：${text}`, text }
  }
  if (task.kind === 'grade') {
    const result = grade(task.instruction)
    const text = result.good ? '【好】' : '【差】'
    return { task: 'grade', reasoning: '检查长度、问法和指代是否清楚，然后给出等级。', text, grade: result }
  }
  if (task.kind === 'polish') {
    const text = polish(task.text, task.instruction)
    return { task: 'polish', reasoning: '找出与指令有关的句子，去掉杂质，再连成通顺的回答。', text }
  }
  const text = task.text === '' ? '' : polish(task.text.slice(-2_000), task.text.slice(-200))
  return { task: 'free', reasoning: '先理解用户的要求，再组织语言。', text }
}

/** A seed for the writer from the `seed` of a request, which sample it is, and what temperature means for both. */
export function writerSeed(seed: number | undefined, sample: number, temperature: number): number {
  if (temperature === 0 || (seed === undefined && sample === 0)) return 0
  return hashText(`${seed ?? 0}:${sample}`)
}
