/** Requests of the benchmark: prompts of the stages with generated texts, each different from its beginning on. */
import { seededRandom } from '../core/random.js'
import { prefillScore, templates } from '../kun/prompts.js'
import type { CompletionRequest } from '../llm/types.js'
import type { WorkloadName } from './results.js'

/** Tokens of a request and of its reply. */
export interface Workload {
  readonly name: WorkloadName
  readonly promptTokens: number
  readonly outputTokens: number
}

/**
 * Lengths of the method: chunks of up to 512 tokens, instructions of 10 to 60 tokens, answers of some hundred. A grade is
 * one token, whose log-probabilities are read.
 */
export const workloads: Readonly<Record<WorkloadName, Workload>> = {
  label: { name: 'label', promptTokens: 500, outputTokens: 60 },
  score: { name: 'score', promptTokens: 300, outputTokens: 1 },
  polish: { name: 'polish', promptTokens: 800, outputTokens: 300 },
}

/** Lengths of replies are spread evenly from 1 − this to 1 + this times the mean, so that requests do not end in step. */
const spread = 0.5
/** Fractional part of the golden ratio: its multiples modulo 1 are spread evenly over any stretch of requests. */
const goldenPart = 0.618_033_988_749_895

export interface RequestOptions {
  /** Length of the generated text. */
  readonly chars: number
  /** A completion prompt in place of a chat, as lists of prompts need. */
  readonly asCompletion: boolean
  /** Makes the length of replies independent of the model; false if the server refuses it. */
  readonly ignoreEos: boolean
  readonly seed: number
}

export function workloadRequest(workload: Workload, number: number, options: RequestOptions): CompletionRequest {
  const text = generatedText(options.seed, number, options.chars)
  const instruction = number % 2 === 0 ? '请概括这段文字的主要内容。' : '这段文字说明了哪些做法？'
  if (workload.name === 'score') return scoreRequest(text, options.asCompletion)
  const template = templates[workload.name === 'label' ? 'label-chat' : 'polish']
  const pieces = template.render({ text, instruction, title: '', heading: '' })
  const factor = 1 - spread + 2 * spread * ((number * goldenPart) % 1)
  const tokens = Math.max(1, Math.round(workload.outputTokens * factor))
  const sampling = { max_tokens: tokens, temperature: 0.7, top_p: 0.9, ...(options.ignoreEos && { ignore_eos: true }) }
  return { ...pieces, sampling }
}

function scoreRequest(instruction: string, asCompletion: boolean): CompletionRequest {
  const pieces = templates.score.render({ instruction, text: '', title: '', heading: '' })
  const sampling = { max_tokens: 1, temperature: 0 }
  if (!asCompletion) return { ...pieces, sampling }
  const prompt = pieces.messages?.map(({ content }) => content).join('\n') ?? ''
  const prefilled = prefillScore({ kind: 'completion', prompt: `${prompt}\n` }).pieces
  return { ...prefilled, sampling: { ...sampling, logprobs: 5 } }
}

const subjects = [
  '河边的老树',
  '山里的小店',
  '城南的书摊',
  '村口的水井',
  '海上的渔船',
  '校园的花圃',
  '巷子里的茶馆',
  '田间的水渠',
]
const actions = [
  '慢慢地改变着',
  '吸引了许多来客',
  '保留着从前的样子',
  '需要有人时常照看',
  '给邻里带来了方便',
  '在雨后显得格外安静',
]
const reasons = [
  '因为每一代人都愿意出力',
  '只要按季节做好准备',
  '尽管条件并不宽裕',
  '由于记录一直没有中断',
  '如果天气没有大的变化',
]
const results = [
  '事情就会顺利得多',
  '大家都看到了好处',
  '费用也比从前少了三成',
  '这件事才算真正完成',
  '后来的人也能照着去做',
]

/** Returns about `chars` characters of plain sentences; the first ones differ between numbers. */
function generatedText(seed: number, number: number, chars: number): string {
  const random = seededRandom(Math.imul(seed + 1, 0x9e37_79b1) ^ number)
  const one = (list: readonly string[]): string => list[Math.floor(random() * list.length)] as string
  const code = Array.from({ length: 8 }, () => String.fromCodePoint(0x4e00 + Math.floor(random() * 4000))).join('')
  const pieces = [`${code}：`]
  let length = code.length + 1
  while (length < chars) {
    const year = 1900 + Math.floor(random() * 120)
    const sentence = `${year}年，${one(subjects)}${one(actions)}，${one(reasons)}，${one(results)}。`
    pieces.push(sentence)
    length += sentence.length
  }
  return pieces.join('').slice(0, Math.max(code.length + 1, chars))
}
