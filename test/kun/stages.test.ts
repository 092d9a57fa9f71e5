import t from 'tap'
import { Child, type Outcome } from '../../lib/core/types.js'
import { labelStage } from '../../lib/kun/label.js'
import { labelOptions, polishOptions, scoreOptions } from '../../lib/kun/options.js'
import { polishStage } from '../../lib/kun/polish.js'
import { columnsOf, type RowOptions, rowOf } from '../../lib/kun/row.js'
import { scoreColumns, scoreStage } from '../../lib/kun/score.js'
import type { Candidate, Pair } from '../../lib/kun/types.js'
import type { Answer, Call, Capabilities, Model } from '../../lib/llm/types.js'
import type { Reply } from '../../lib/storage/replies/types.js'
import { recordId } from '../../lib/text/identity.js'

const text = '竹子一生只开一次花，花后养分耗尽，整片竹林便会枯死，所以养竹人要提前移栽新鞭。'
const candidate: Candidate = {
  id: recordId('wudao', 'part-1.json', 77, 2),
  split: 'wudao',
  shard: 'part-1.json',
  offset: 77,
  chunk: 2,
  key: '9',
  title: '竹',
  heading: '',
  text,
  tokens: 40,
  columns: {},
}
const call = { position: [4, 0, 2], signal: new AbortController().signal }
const capabilities: Capabilities = {
  server: 'scripted',
  contextTokensMax: null,
  metrics: false,
  promptLists: false,
  logprobs: true,
  topLogprobs: 20,
  continues: true,
  maxTokensField: 'max_tokens',
  chatTemplateKwargs: true,
  unsupported: [],
}

/** Answers what the test says, and keeps what it was asked. A bad reply ends in a verdict, as after the last try. */
function scripted(answers: readonly (string | Partial<Reply> | Answer)[], can: Partial<Capabilities> = {}) {
  const calls: Call[] = []
  const model: Model = {
    name: 'writer',
    capabilities: { ...capabilities, ...can },
    ask: async (asked) => {
      const answer = answers[calls.push(asked) - 1] as string | Partial<Reply> | Answer
      if (typeof answer !== 'string' && ('verdict' in answer || 'reply' in answer)) return answer
      const given = typeof answer === 'string' ? { text: answer } : answer
      const reply = { text: '', finishReason: 'stop', promptTokens: 1, completionTokens: 1, ...given }
      const fault = asked.fault(reply)
      if (fault === null) return { reply, attempt: 0 }
      if (typeof fault === 'object' && 'reason' in fault) {
        return { verdict: { reason: fault.reason, detail: fault.found } }
      }
      return { verdict: { reason: `${fault}-reply`, detail: reply.text } }
    },
  }
  return { model, calls }
}

async function labelled(): Promise<Pair> {
  const stage = labelStage(scripted(['竹子为什么会成片枯死？']).model, labelOptions.parse({ model: 'writer' }))
  const outcome = await stage.run(candidate, call)
  return pairsOf(outcome)[0] as Pair
}

function pairsOf(outcome: Outcome<Pair>): (Pair | Child<Pair>)[] {
  return 'emit' in outcome ? [...outcome.emit] : []
}

t.test('each variant is one attempt: a pair, or a child with the reason of its drop', async (t) => {
  const { model, calls } = scripted([
    '【/文本】竹子怎样开花？',
    '竹子怎样开花？',
    '指令：竹子怎样开花',
    '',
    { verdict: { reason: 'context-length', detail: 'maximum context length is 512' } },
    '竹林为什么枯死？',
  ])
  const stage = labelStage(model, labelOptions.parse({ model: 'writer', variants: 6 }))
  const pairs = pairsOf(await stage.run(candidate, call))
  t.strictSame(
    pairs.map((pair) => (pair instanceof Child ? pair.outcome : pair.instruction)),
    [
      { drop: 'instruction-markers', detail: '【/文本】' },
      '竹子怎样开花？',
      { drop: 'duplicate-variant', detail: 'of variant 1' },
      { drop: 'empty-reply', detail: '' },
      { drop: 'context-length', detail: 'maximum context length is 512' },
      '竹林为什么枯死？',
    ],
  )
  const values = pairs.map((pair) => (pair instanceof Child ? pair.value : pair))
  t.strictSame(
    values.map(({ id }) => id),
    [0, 1, 2, 3, 4, 5].map((variant) => recordId('wudao', 'part-1.json', 77, 2, variant)),
  )
  t.strictSame(
    calls.map(({ record }) => record),
    values.map(({ id }) => id),
  )
  t.strictSame(calls[3]?.position, [4, 0, 2, 3])
})

t.test('each instruction of a reply is an attempt of its own, and what is beyond the bound is one more', async (t) => {
  const { model, calls } = scripted([
    '1. 竹子怎样开花？\n2. 这段话讲了什么？\n3. 竹林为什么枯死？\n4. 怎样移栽新鞭？\n5. 竹子怕什么？',
    '1. 竹子怎样开花\n2. 请介绍竹子的养护方法。',
    { verdict: { reason: 'context-length', detail: 'over' } },
  ])
  const options = { model: 'writer', variants: 3, severalInstructions: 'variants', severalInstructionsMax: 3 } as const
  const pairs = pairsOf(await labelStage(model, labelOptions.parse(options)).run(candidate, call))
  const seen = pairs.map((pair) => {
    const { variant, instruction, id } = pair instanceof Child ? pair.value : pair
    t.equal(id, recordId('wudao', 'part-1.json', 77, 2, variant))
    return [variant, pair instanceof Child && 'drop' in pair.outcome ? pair.outcome.drop : instruction]
  })
  t.strictSame(seen, [
    [0, '竹子怎样开花？'],
    [1, 'duplicate-variant'],
    [2, 'context-length'],
    [3, 'instruction-refers'],
    [4, '请介绍竹子的养护方法。'],
    [6, '竹林为什么枯死？'],
    [9, 'surplus-instructions'],
  ])
  t.equal(calls.length, 3)
})

t.test('a reply is requested again only if none of its instructions can be used', async (t) => {
  const faults = async (severalInstructions: 'first' | 'variants') => {
    const { model } = scripted([
      '1. 这段话讲了什么？\n2. 竹林为什么枯死？',
      '1. 这段话讲了什么？\n2. 如图所示，这是什么？',
    ])
    const stage = labelStage(model, labelOptions.parse({ model: 'writer', variants: 2, severalInstructions }))
    return pairsOf(await stage.run(candidate, call)).map((pair) =>
      pair instanceof Child ? pair.outcome : pair.instruction,
    )
  }
  const refers = (detail: string) => ({ drop: 'instruction-refers', detail })
  t.strictSame(await faults('first'), [refers('这段话'), refers('这段话')])
  t.strictSame(await faults('variants'), [refers('这段话'), refers('这段话'), '竹林为什么枯死？'])
})

t.test('the number of a variant decides which one is earlier, not the time of its reply', async (t) => {
  const gates: (() => void)[] = []
  const model: Model = {
    name: 'writer',
    capabilities,
    ask: () =>
      new Promise((resolve) => {
        const reply = { text: '竹子怎样开花？', finishReason: 'stop', promptTokens: 1, completionTokens: 1 }
        gates.push(() => resolve({ reply, attempt: 0 }))
      }),
  }
  const running = labelStage(model, labelOptions.parse({ model: 'writer', variants: 3 })).run(candidate, call)
  for (const open of gates.reverse()) open()
  const kept = pairsOf(await running).map((pair) => !(pair instanceof Child))
  t.strictSame(kept, [true, false, false])
})

t.test('the sampling of the method is sent unless the recipe overrides it', async (t) => {
  const { model, calls } = scripted(['竹子怎样开花？', '竹子怎样开花？'])
  await labelStage(model, labelOptions.parse({ model: 'writer' })).run(candidate, call)
  t.strictSame(calls[0]?.request.sampling, {
    temperature: 0.5,
    top_p: 0.95,
    repetition_penalty: 1.05,
    max_tokens: 1024,
  })
  const own = { temperature: 0.1, top_k: 5, repetition_penalty: null, stop_token_ids: null }
  await labelStage(model, labelOptions.parse({ model: 'writer', prompt: 'label-kun', sampling: own })).run(
    candidate,
    call,
  )
  t.strictSame(calls[1]?.request.sampling, {
    temperature: 0.1,
    top_p: 0.95,
    max_tokens: 1024,
    stop: ['<|im_end|>', '<|endoftext|>'],
    top_k: 5,
  })
  t.equal(calls[1]?.request.kind, 'completion')
})

t.test('a score is read from one token if the server supports it, and otherwise from the word', async (t) => {
  const pair = await labelled()
  const logprobs = scripted([
    { text: '好', finishReason: 'length', firstTokenLogprobs: { 好: Math.log(0.8), 差: Math.log(0.2) } },
  ])
  const options = scoreOptions.parse({ model: 'writer' })
  const [scored] = pairsOf(await scoreStage(logprobs.model, options).run(pair, call)) as Pair[]
  t.match(scored, { columns: { score: 0.8, score_kind: 'logprob', score_mass: 1 }, instruction: pair.instruction })
  t.match(logprobs.calls[0]?.request.sampling, { max_tokens: 1, temperature: 0, logprobs: true, top_logprobs: 20 })
  t.equal(logprobs.calls[0]?.request.messages?.at(-1)?.content, '【')
  t.equal(logprobs.calls[0]?.record, pair.id)

  for (const lacking of [{ logprobs: false }, { continues: false }]) {
    const written = scripted(['【好】'], lacking)
    const [ruled] = pairsOf(await scoreStage(written.model, options).run(pair, call)) as Pair[]
    t.match(ruled, { columns: { score: 1, score_kind: 'rule', score_mass: null } })
    t.equal(written.calls[0]?.request.messages?.length, 1)
    t.equal(written.calls[0]?.request.sampling.max_tokens, 1024)
  }
})

t.test(
  'a low score and a reply without the format have different reasons, with the number in the detail',
  async (t) => {
    const pair = await labelled()
    const run = (firstTokenLogprobs: Record<string, number>, options: object) =>
      scoreStage(
        scripted([{ text: '差', finishReason: 'length', firstTokenLogprobs }]).model,
        scoreOptions.parse({ model: 'writer', ...options }),
      ).run(pair, call)
    const low = { 好: Math.log(0.2), 差: Math.log(0.8) }
    const isLow = { drop: 'score-low', detail: /^0\.2 < 0\.5 \(logprob\)/ }
    t.match(await run(low, {}), { emit: [{ value: { columns: { score: 0.2 } }, outcome: isLow }] })
    t.match(await run(low, { keepAtLeast: 0.2 }), { emit: [{ columns: { score: 0.2 } }] })
    const strange = { 好: Math.log(0.02), 差: Math.log(0.01), 中: Math.log(0.9) }
    const writtenLow = { emit: [{ outcome: { drop: 'score-low' } }] }
    t.match(await run({ 中: -0.1, 良: -3 }, {}), writtenLow, 'its text says 差')
    t.match(await run(strange, { massAtLeast: 0.1 }), { drop: 'score-format', detail: 'mass 0.03 < 0.1' })
  },
)

t.test('a reply with neither label is not a grade of the instruction', async (t) => {
  const pair = await labelled()
  const run = (reply: string | Partial<Reply>, can = {}) =>
    scoreStage(scripted([reply], can).model, scoreOptions.parse({ model: 'writer' })).run(pair, call)
  const neither = { drop: 'score-format', detail: 'no verdict 好 or 差: 这条指令不错' }
  t.match(await run('这条指令不错', { logprobs: false }), neither)
  const halves = { text: '\ufffd', finishReason: 'length', firstTokenLogprobs: { '\ufffd': -0.1 } }
  t.match(await run(halves), { drop: 'score-format' }, 'a tokenizer that has no token for the labels')
  t.match(await run('【差】', { logprobs: false }), { emit: [{ outcome: { drop: 'score-low' } }] })
})

t.test('a polished answer is cleaned, checked, and dropped with the reason', async (t) => {
  const pair = await labelled()
  const options = polishOptions.parse({ model: 'writer' })
  const run = (reply: string | Answer) => polishStage(scripted([reply]).model, options).run(pair, call)
  t.match(await run(`<think>想</think>回答：${text}`), { emit: [{ output: text, instruction: pair.instruction }] })
  t.match(await run(`竹【/文本】${text}`), { drop: 'output-markers', detail: '【/文本】' })
  t.match(await run('太短。'), { drop: 'output-too-short' })
  t.match(await run({ verdict: { reason: 'deadline', detail: '300 s' } }), { drop: 'deadline', detail: '300 s' })
})

t.test('an error of the model is not an outcome of the record: it stops the run', async (t) => {
  const model: Model = { name: 'writer', capabilities, ask: () => Promise.reject(new Error('outage')) }
  await t.rejects(labelStage(model, labelOptions.parse({ model: 'writer', variants: 2 })).run(candidate, call), {
    message: 'outage',
  })
})

t.test('a row has the columns of its shape, in order, and the raw text as output without a polish stage', async (t) => {
  const pair = await labelled()
  const scored = {
    columns: scoreColumns,
    models: ['writer', 'judge', 'judge'],
    promptVersions: ['label-kun@2', 'score@2'],
  }
  const pairs: RowOptions = { shape: 'pairs', ...scored }
  const row = rowOf({ ...pair, columns: { score: 0.9, score_kind: 'logprob', score_mass: 1 }, output: '答案' }, pairs)
  t.strictSame(
    Object.keys(row),
    columnsOf(pairs).map(({ name }) => name),
  )
  t.match(row, { instruction: pair.instruction, output: '答案', raw: text, source: 'wudao', offset: 77, score: 0.9 })
  t.match(row, { model: 'writer+judge', prompt_version: 'label-kun@2+score@2', id: pair.id, variant: 0 })
  t.equal(rowOf(pair, pairs).output, text)

  const chat: RowOptions = { ...scored, shape: 'messages', columns: [] }
  const names = columnsOf(chat).map(({ name }) => name)
  t.equal(names[0], 'messages')
  t.notOk(names.includes('score') || names.includes('output'))
  t.match(rowOf(pair, chat), { id: pair.id, messages: [{ role: 'user' }, { role: 'assistant', content: text }] })
})
