/**
 * Detects the task of a prompt: by the tags of kun-stream's templates, the first line of the published label model, and the
 * published score and answer lines. The reply to any other prompt is built from its text.
 */

export type Task =
  /** `count`: instructions that the prompt asks for in one reply. */
  | { readonly kind: 'label'; readonly text: string; readonly count: number }
  | { readonly kind: 'screen'; readonly text: string }
  | { readonly kind: 'grade'; readonly instruction: string }
  /** `from` is the instruction or the text that the answer is compared with. */
  | { readonly kind: 'compare'; readonly from: string; readonly answer: string }
  | { readonly kind: 'column'; readonly prompt: string; readonly form: ColumnForm }
  | { readonly kind: 'polish'; readonly text: string; readonly instruction: string }
  | { readonly kind: 'free'; readonly text: string }

/** The form that a column asks for in its last line. */
type ColumnForm =
  | { readonly type: 'enum'; readonly values: readonly string[] }
  | { readonly type: 'number'; readonly min: number; readonly max: number }
  | { readonly type: 'json' }

const distilLine = '请根据你的知识写出对它的回答'
const withoutText =
  '这个问题可以从背景、原因和做法三个方面来说明。先说背景，再说原因，最后说明具体的做法和要注意的地方。'
const labelLine = '请直接告诉我，以下回复最有可能对应的指令是什么：'

export function recognise(prompt: string): Task {
  const text = tagged(prompt, '文本')
  const instruction = tagged(prompt, '指令')
  const form = columnForm(prompt)
  if (form !== null) return { kind: 'column', prompt, form }
  const answer = tagged(prompt, '回答')
  if (answer !== null && asksForGrade(prompt, '回答')) {
    return { kind: 'compare', from: instruction ?? text ?? '', answer }
  }
  if (instruction !== null && text === null && prompt.includes(distilLine)) {
    return { kind: 'polish', text: `${instruction}\n${withoutText}`, instruction }
  }
  if (text !== null && instruction !== null) return { kind: 'polish', text, instruction }
  if (text !== null && asksForGrade(prompt, '文本')) return { kind: 'screen', text }
  if (text !== null) return { kind: 'label', text, count: countAskedFor(prompt) }
  if (instruction !== null) return { kind: 'grade', instruction }
  const label = prompt.lastIndexOf(labelLine)
  if (label >= 0) return { kind: 'label', text: turn(prompt.slice(label + labelLine.length)), count: 1 }
  const score = /指令[:：]\s*【([\s\S]*)】\s*回复[:：]/u.exec(prompt)
  if (score?.[1] !== undefined) return { kind: 'grade', instruction: score[1] }
  const known = /已知[:：]\s*([\s\S]*)[,，]\s*请回答[:：]([\s\S]*)/u.exec(prompt)
  if (known?.[1] !== undefined) return { kind: 'polish', text: known[1], instruction: turn(known[2] ?? '') }
  return { kind: 'free', text: turn(prompt) }
}

/** Reads 写出三条指令 or 写出 3 条 outside of the text. */
function countAskedFor(prompt: string): number {
  const words = prompt.slice(0, prompt.lastIndexOf('【文本】')) + prompt.slice(prompt.lastIndexOf('【/文本】'))
  const found = /写出?\s?([1-9]|[一二两三四五六七八九])\s?条/u.exec(words)?.[1] ?? '1'
  const han = '一二三四五六七八九'.indexOf(found === '两' ? '二' : found)
  return han < 0 ? Number(found) : han + 1
}

function columnForm(prompt: string): ColumnForm | null {
  const line = prompt.slice(prompt.lastIndexOf('\n\n只回答') + 2)
  const values = /^只回答以下之一，不要解释：([^\n]+)/u.exec(line)
  if (values?.[1] !== undefined) return { type: 'enum', values: values[1].split('、') }
  if (line.startsWith('只回答一个 JSON 值')) return { type: 'json' }
  if (!line.startsWith('只回答一个数字')) return null
  const bound = (word: string, otherwise: number) =>
    Number(line.split(word)[1]?.match(/^ (-?[\d.]+)/)?.[1] ?? otherwise)
  const min = bound('不小于', 0)
  return { type: 'number', min, max: bound('不大于', min + 10) }
}

/** Whether the words before the record ask for one of the two grades. */
function asksForGrade(prompt: string, tag: string): boolean {
  return prompt.slice(0, prompt.lastIndexOf(`【${tag}】`)).includes('只回答【好】或【差】')
}

/** Returns the content of the last pair of a tag: examples may precede it. */
function tagged(prompt: string, tag: string): string | null {
  const end = prompt.lastIndexOf(`【/${tag}】`)
  if (end < 0) return null
  const start = prompt.lastIndexOf(`【${tag}】`, end)
  return start < 0 ? null : prompt.slice(start + tag.length + 2, end).trim()
}

/** Returns the text up to the end of the turn, if the prompt has ChatML marks. */
function turn(text: string): string {
  const end = text.indexOf('<|im_end|>')
  return (end < 0 ? text : text.slice(0, end)).trim()
}
