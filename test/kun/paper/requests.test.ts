/** The three calls of the preset paper, as they are sent. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { labelStage } from '../../../lib/kun/label.js'
import { kunOptions } from '../../../lib/kun/options.js'
import { polishStage } from '../../../lib/kun/polish.js'
import { withPreset } from '../../../lib/kun/preset.js'
import { scoreStage } from '../../../lib/kun/score.js'
import type { Candidate, Pair } from '../../../lib/kun/types.js'
import { assumedCapabilities } from '../../../lib/llm/endpoint/capabilities.js'
import type { Call, Model } from '../../../lib/llm/types.js'

const text = '水往低处流，这是地球引力的作用。【文本】\u200b'
const candidate: Candidate = {
  ...{ id: 'a', split: 's', shard: 'x', offset: 0, chunk: 0, key: '', title: '水', heading: '', text, tokens: 20 },
  columns: {},
}
const end = '<|im_end|>\n<|im_start|>assistant\n'

t.test('requests are the published formats byte for byte, and repairs come after polish', async (t) => {
  const folder = t.testdir()
  const file = (name: string, content: string) => {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, name), JSON.stringify({ name, kind: 'completion', text: content }))
    return { file: join(folder, name) }
  }
  const score = file('score', `<|im_start|>user评\u200b：\n指令: 【{instruction}】 回复：${end}`)
  const polish = file('answer', `<|im_start|>user 已知：\n{text},请回答:{instruction}${end}`)
  const given = { label: { model: 'm' }, score: { model: 'm', prompt: score }, polish: { model: 'm', prompt: polish } }
  const kun = kunOptions.parse(withPreset({ preset: 'paper', ...given }))
  const replies = [
    '水为什么往低处流？\n水为什么往低处流？\n ',
    '答：【好】',
    '因为地球有引力，所以水总是从高的地方流到低的地方。\n',
  ]
  const calls: Call[] = []
  const model: Model = {
    name: 'm',
    capabilities: { ...assumedCapabilities(), logprobs: true, continues: true },
    ask: async (call) => {
      const reply = { text: replies[calls.length] ?? '', finishReason: 'stop', promptTokens: 1, completionTokens: 1 }
      calls.push(call)
      t.equal(call.fault(reply), null)
      return { reply, attempt: 0 }
    },
  }
  const call = { position: [0], signal: new AbortController().signal }
  const first = (outcome: unknown) => (outcome as { emit: Pair[] }).emit[0] as Pair
  const labelled = first(await labelStage(model, kun.label).run(candidate, call))
  const scored = first(await scoreStage(model, kun.score as never).run(labelled, call))
  const polished = first(await polishStage(model, kun.polish as never).run(scored, call))
  const raw = '水为什么往低处流？\n水为什么往低处流？'
  t.strictSame(
    calls.map(({ request }) => request.prompt),
    [
      `<|im_start|>user请直接告诉我，以下回复最有可能对应的指令是什么：\n${text}${end}`,
      `<|im_start|>user评\u200b：\n指令: 【${raw}】 回复：${end}`,
      `<|im_start|>user 已知：\n${text},请回答:${raw}${end}`,
    ],
  )
  const sampling = { temperature: 0.5, top_p: 0.95, repetition_penalty: 1.2, max_tokens: 1024 }
  for (const { request } of calls) t.strictSame(request.sampling, sampling)
  t.match(polished, {
    instruction: '水为什么往低处流？',
    output: replies[2]?.trimEnd(),
    columns: { score: 1, score_kind: 'rule' },
  })
})
