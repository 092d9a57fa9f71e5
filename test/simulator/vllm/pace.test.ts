import t from 'tap'
import { enginePresets } from '../../../lib/simulator/vllm/index.js'
import { fillOptions } from '../../../lib/simulator/vllm/options.js'
import { article, ask, events, get, type Json, post, started } from '../support.js'

t.test('on an engine preset requests batch, and its metrics move', async (t) => {
  const simulator = await started(t, { preset: 'qwen3-8b-h100', speed: 200 })
  t.match((await get(simulator, '/v1/models')).body.data, [{ id: 'Qwen/Qwen3-8B', max_model_len: 40_960 }])
  const rubric = `${'请严格审核下面的指令，只回答等级。'.repeat(20)}\n`
  const asked = (place: number) => ask(simulator, `${rubric}【文本】${place}${article}【/文本】`)
  await asked(-1)
  const replies = await Promise.all(Array.from({ length: 20 }, (_, place) => asked(place)))
  t.ok(replies.every(({ status }) => status === 200))
  const tokens = replies.reduce((sum, { body }) => sum + body.usage.completion_tokens, 0)
  const { text } = await get(simulator, '/metrics')
  const value = (name: string) => Number(new RegExp(`^vllm:${name}\\{[^}]*\\} (.+)$`, 'm').exec(text)?.[1])
  t.ok(value('generation_tokens_total') >= tokens)
  t.ok(value('prefix_cache_hits_total') > 0, 'the rubric was in the cache')
  t.equal(simulator.stats().prefixCacheHits, value('prefix_cache_hits_total'))
  t.equal(value('num_requests_running'), 0)
  t.equal(value('request_queue_time_seconds_count'), 21)
  t.ok(value('time_to_first_token_seconds_sum') >= (21 * enginePresets['qwen3-8b-h100'].engine.stepMs) / 1_000)
})

t.test('a stream of an engine comes token by token and says the same', async (t) => {
  const simulator = await started(t, { preset: 'qwen3-0.6b-h100', speed: 100 })
  const whole = (await ask(simulator, `【文本】${article}【/文本】`)).body.choices[0].message.content
  const { text } = await ask(simulator, `【文本】${article}【/文本】`, { stream: true })
  const { pieces, done } = events(text)
  t.ok(done)
  t.equal(pieces.map(({ choices }) => choices[0].delta.content ?? '').join(''), whole)
  t.ok(pieces.length > 10)
})

t.test('a full queue answers 503 when it has a cap', async (t) => {
  const simulator = await started(t, { preset: 'yi-34b-h100x2', speed: 0.000_1, queueMax: 1 })
  const open = [1, 2, 3].map(() => ask(simulator, '你好'))
  const first = await Promise.race(open)
  t.equal(first.status, 503)
  t.equal(
    (await post(simulator, '/v1/completions', { prompt: ['a', 'b', 'c'] })).status,
    503,
    'a list has no part of it',
  )
  await simulator.close()
  await Promise.allSettled(open)
})

t.test('lengths follow the distribution that was asked for, whatever the prompt says', async (t) => {
  const simulator = await started(t, { lengths: { mean: 200, sigma: 1, max: 1_024 } })
  const prompt = Array.from({ length: 1_000 }, (_, place) => `text ${place}`)
  const ask = async (more: object) =>
    (await post(simulator, '/v1/completions', { prompt, max_tokens: 1_024, ...more })).body
  const { usage, choices } = await ask({})
  const mean = usage.completion_tokens / prompt.length
  t.ok(mean > 170 && mean < 220, `mean ${mean}`)
  t.same((await ask({})).choices, choices)
  t.notSame((await ask({ seed: 2 })).choices, choices)
  t.ok(new Set(choices.map(({ text }: Json) => text.length)).size > 100)
  const graded = { prompt: '【指令】请说明城市轨道交通的优点，并分析建设成本。【/指令】' }
  t.equal((await ask(graded)).choices[0].text, '【好】', 'but grades stay grades')
  t.equal((await ask({ ignore_eos: true, max_tokens: 5 })).usage.completion_tokens, 5_000)
})

t.test('latencies of one seed let replies overtake each other, and change nothing that is said', async (t) => {
  const texts = async (options: object) => {
    const simulator = await started(t, options)
    const order: number[] = []
    const asked = Array.from({ length: 40 }, async (_, place) => {
      const { body } = await ask(simulator, `【文本】${article.slice(place)}【/文本】`)
      order.push(place)
      return body.choices[0].message.content
    })
    return { said: await Promise.all(asked), order }
  }
  const slow = await texts({ preset: 'delay', latencyMs: { min: 0, max: 60 }, seed: 3 })
  const instant = await texts({})
  t.same(slow.said, instant.said)
  t.notSame(
    slow.order,
    slow.order.toSorted((a, b) => a - b),
  )
})

t.test('capacity changes while it runs, from inside and over HTTP', async (t) => {
  const simulator = await started(t, { preset: 'qwen3-8b-h100', speed: 0.000_1 })
  const slow = ask(simulator, '你好')
  while (simulator.stats().running === 0) await new Promise(setImmediate)
  t.equal((await post(simulator, '/admin/capacity', { speed: 0 })).status, 400)
  t.equal((await post(simulator, '/admin/capacity', { speed: 0.5, runningMax: 8 })).status, 200)
  simulator.setCapacity({ speed: 2 })
  t.equal((await get(simulator, '/admin/stats')).body.running, 1)
  await simulator.close()
  await t.rejects(slow)
})

t.test('a wrong option is named with its value and what is allowed, before anything listens', async (t) => {
  const wrong = (options: object, message: RegExp) =>
    t.throws(() => fillOptions(options), { code: 'KUN_INVALID_OPTION', message })
  wrong({ port: -1 }, /simulator\.port: .*0.*found -1/)
  wrong({ preset: 'h200' }, /simulator\.preset: .*instant.*found "h200"/)
  wrong({ latencyMs: { min: 5, max: 1 } }, /simulator\.latencyMs/)
  wrong({ faults: [{ kind: 'x' }] }, /simulator\.faults\.0\.kind.*found "x"/)
  wrong({ unknown: 1 }, /unknown/)
})
