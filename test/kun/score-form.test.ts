import t, { type Test } from 'tap'
import { scoreOptions } from '../../lib/kun/options.js'
import { scoreStage } from '../../lib/kun/score.js'
import type { Pair } from '../../lib/kun/types.js'
import { type Asked, chatReply, modelServer } from '../llm/model-server.js'
import { openModel } from '../llm/open-model.js'

const candidate = {
  id: 'c',
  split: 's',
  shard: 'a',
  offset: 0,
  chunk: 0,
  key: '',
  title: '',
  heading: '',
  text: '水往低处流。',
  tokens: 6,
  columns: {},
}
const pair: Pair = {
  candidate,
  variant: 0,
  id: 'p',
  instruction: '水为什么往低处流？',
  labelAttempt: 0,
  output: null,
  columns: {},
}

/** A chat server with log-probabilities, which continues an opened turn or ignores that request. */
async function scoredBy(t: Test, answer: (asked: Asked, continued: boolean) => unknown) {
  const server = await modelServer(t, (asked) => answer(asked, asked.body.continue_final_message === true))
  const model = await openModel({ model: { model: 'm', endpoints: [server.url] }, seed: 1 })
  t.teardown(() => model.servers.close())
  const call = { position: [0, 0], signal: new AbortController().signal }
  const outcome = await scoreStage(model, scoreOptions.parse({ model: 'm' })).run(pair, call)
  return { outcome, request: server.asked.at(-1)?.body }
}

const top = (good: number) => [
  { token: '好', logprob: Math.log(good) },
  { token: '差', logprob: Math.log(1 - good) },
]
const graded = (content: string, promptTokens: number) => ({
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content },
      finish_reason: 'length',
      logprobs: { content: [{ token: '好', logprob: Math.log(0.9), top_logprobs: top(0.9) }] },
    },
  ],
  usage: { prompt_tokens: promptTokens, completion_tokens: 1 },
})

t.test('a server that continues an opened turn is asked for one token', async (t) => {
  const { outcome, request } = await scoredBy(t, (_, continued) => graded('好', continued ? 8 : 12))
  t.match(outcome, { emit: [{ columns: { score: 0.9, score_kind: 'logprob', score_mass: 1 } }] })
  t.match(request, {
    max_tokens: 1,
    continue_final_message: true,
    messages: [{}, { role: 'assistant', content: '【' }],
  })
})

t.test('a server that ignores the request to continue is asked for the written word', async (t) => {
  const { outcome, request } = await scoredBy(t, ({ body }) => {
    return body.max_tokens === 1 ? graded('好', 12) : chatReply('【好】')
  })
  t.match(outcome, { emit: [{ columns: { score: 1, score_kind: 'rule', score_mass: null } }] })
  t.notHas(request, { continue_final_message: true })
})
