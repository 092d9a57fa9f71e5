/**
 * The built-in extractive writer: replies to a prompt in place of a model, depending only on prompt and seed.
 */
import { hashText, unit } from '../../random.js'
import { type Grade, grade } from './grade.js'
import { gradeAnswer } from './grade-answer.js'
import { gradeText } from './grade-text.js'
import { writeInstruction } from './instruction.js'
import { polish } from './polish.js'
import { recognise, type Task } from './task.js'

export interface Draft {
  readonly task: 'label' | 'grade' | 'polish' | 'free'
  /** Reasoning before the reply. */
  readonly reasoning: string
  readonly text: string
  /** For 'grade': the probabilities of 好 and 差. */
  readonly grade?: Grade
}

/** Returns the reply. Only instructions depend on the seed; grades and polished texts do not. */
export function write(prompt: string, seed: number): Draft {
  const task = recognise(prompt)
  if (task.kind === 'label') {
    const text = instructions(task.text, task.count, seed)
    return { task: 'label', reasoning: `先看文字的主题，再想它回答了什么问题。候选指令：${text}`, text }
  }
  if (task.kind === 'grade') return graded(grade(task.instruction), '检查长度、问法和指代是否清楚，然后给出等级。')
  if (task.kind === 'screen') return graded(gradeText(task.text), '检查文字是否完整、通顺、有内容，然后给出等级。')
  if (task.kind === 'compare') {
    return graded(gradeAnswer(task.from, task.answer), '对照两段文字，看回答是否有依据、是否切题，然后给出等级。')
  }
  if (task.kind === 'column') {
    return { task: 'free', reasoning: '先看要求的格式，再作答。', text: columnAnswer(task.prompt, task.form) }
  }
  if (task.kind === 'polish') {
    const text = polish(task.text, task.instruction)
    return { task: 'polish', reasoning: '找出与指令有关的句子，去掉杂质，再连成通顺的回答。', text }
  }
  const text = task.text === '' ? '' : polish(task.text.slice(-2_000), task.text.slice(-200))
  return { task: 'free', reasoning: '先理解用户的要求，再组织语言。', text }
}

/** One instruction, or a numbered list of several. */
function instructions(text: string, count: number, seed: number): string {
  if (count === 1) return writeInstruction(text, seed)
  const lines = Array.from({ length: count }, (_, index) => writeInstruction(text, hashText(`${seed}:${index}`)))
  return lines.map((line, index) => `${index + 1}. ${line}`).join('\n')
}

/** A value of the form, drawn from the prompt. */
function columnAnswer(prompt: string, form: Extract<Task, { kind: 'column' }>['form']): string {
  const drawn = unit(hashText(prompt, 23))
  if (form.type === 'enum') return form.values[Math.floor(drawn * form.values.length)] ?? ''
  if (form.type === 'json') return JSON.stringify({ drawn: Math.floor(drawn * 100) })
  return String(Math.round(form.min + drawn * (form.max - form.min)))
}

function graded(result: Grade, reasoning: string): Draft {
  return { task: 'grade', reasoning, text: result.good ? '【好】' : '【差】', grade: result }
}

/** Returns the seed for the writer from seed, sample and temperature of a request. */
export function writerSeed(seed: number | undefined, sample: number, temperature: number): number {
  if (temperature === 0 || (seed === undefined && sample === 0)) return 0
  return hashText(`${seed ?? 0}:${sample}`)
}
