/**
 * Detects the task of a prompt: by the tags of kun-stream's templates, the first line of the published label model, and the
 * published score and answer lines. The reply to any other prompt is built from its text.
 */

type Task =
  | { readonly kind: 'label'; readonly text: string }
  | { readonly kind: 'screen'; readonly text: string }
  | { readonly kind: 'grade'; readonly instruction: string }
  | { readonly kind: 'polish'; readonly text: string; readonly instruction: string }
  | { readonly kind: 'free'; readonly text: string }

const labelLine = '请直接告诉我，以下回复最有可能对应的指令是什么：'

export function recognise(prompt: string): Task {
  const text = tagged(prompt, '文本')
  const instruction = tagged(prompt, '指令')
  if (text !== null && instruction !== null) return { kind: 'polish', text, instruction }
  if (text !== null) return { kind: asksForGrade(prompt, '文本') ? 'screen' : 'label', text }
  if (instruction !== null) return { kind: 'grade', instruction }
  const label = prompt.lastIndexOf(labelLine)
  if (label >= 0) return { kind: 'label', text: turn(prompt.slice(label + labelLine.length)) }
  const score = /指令[:：]\s*【([\s\S]*)】\s*回复[:：]/u.exec(prompt)
  if (score !== null) return { kind: 'grade', instruction: score[1] as string }
  const answer = /已知[:：]\s*([\s\S]*)[,，]\s*请回答[:：]([\s\S]*)/u.exec(prompt)
  if (answer !== null) return { kind: 'polish', text: answer[1] as string, instruction: turn(answer[2] as string) }
  return { kind: 'free', text: turn(prompt) }
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
