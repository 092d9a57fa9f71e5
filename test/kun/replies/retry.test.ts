import t, { type Test } from 'tap'
import { labelStage } from '../../../lib/kun/label.js'
import { labelOptions } from '../../../lib/kun/options.js'
import type { Candidate } from '../../../lib/kun/types.js'
import { chatReply, modelServer } from '../../llm/model-server.js'
import { openModel } from '../../llm/open-model.js'

const place = { id: 'c', split: 's', shard: 'a', offset: 0, chunk: 0, key: '', title: '' }
const candidate = { ...place, text: '水往低处流。', tokens: 6 } as Candidate

/** Labels a text with a server that gives one reply after the other. */
async function labelledBy(t: Test, replies: readonly string[], prompt?: 'label-kun') {
  const server = await modelServer(t, ({ body }) => {
    const content = replies[server.asked.length - 1] ?? ''
    const choice = { index: 0, text: content, finish_reason: 'stop' }
    return body.messages === undefined ? { choices: [choice], usage: {} } : chatReply(content)
  })
  const model = await openModel({ model: { model: 'm', endpoints: [server.url] }, seed: 1, servers: {}, probe: false })
  t.teardown(() => model.servers.close())
  const call = { position: [0, 0], signal: new AbortController().signal }
  const outcome = await labelStage(model, labelOptions.parse({ model: 'm', ...(prompt && { prompt }) })).run(
    candidate,
    call,
  )
  const prompts = server.asked.map(({ body }) => JSON.stringify(body.messages ?? body.prompt))
  return { outcome, prompts, seeds: server.asked.map(({ body }) => body.seed) }
}

t.test('a reply with a fault of its content is requested once more with the reason in the prompt', async (t) => {
  const { outcome, prompts, seeds } = await labelledBy(t, ['请概括这段文字。', '水为什么往低处流？'])
  t.match(outcome, { emit: [{ instruction: '水为什么往低处流？', labelAttempt: 1 }] })
  t.equal(prompts.length, 2)
  t.notMatch(prompts[0], '上一次')
  t.match(prompts[1], '上一次')
  t.not(seeds[0], seeds[1])
})

t.test(
  'after the second fault of its content the record is rejected, with the repaired text in the detail',
  async (t) => {
    const { outcome, prompts } = await labelledBy(t, [
      '指令：请概括这段文字。',
      '指令：上文讲了什么？',
      '水为什么往低处流？',
    ])
    const [child] = 'emit' in outcome ? outcome.emit : []
    t.match(child, { outcome: { drop: 'instruction-refers', detail: '2 tries; the last (上文): 上文讲了什么？' } })
    t.equal(prompts.length, 2)
  },
)

t.test('a completion keeps its published format: the retry has another seed only', async (t) => {
  const { outcome, prompts, seeds } = await labelledBy(t, ['请概括这段文字。', '水为什么往低处流？'], 'label-kun')
  t.match(outcome, { emit: [{ instruction: '水为什么往低处流？' }] })
  t.equal(prompts[0], prompts[1])
  t.not(seeds[0], seeds[1])
})
