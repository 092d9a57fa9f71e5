/** What a probe keeps of a server: what it can do, never that it was busy for a while. */
import t from 'tap'
import { systemClock } from '../../../lib/core/clock.js'
import { seededRandom } from '../../../lib/core/random.js'
import { type ProbeOptions, probeEndpoint } from '../../../lib/llm/endpoint/probe.js'
import { ProbeMemory } from '../../../lib/llm/endpoint/probe-memory.js'
import { modelOptions } from '../../../lib/llm/options.js'
import { httpClient } from '../../../lib/llm/protocol/client.js'
import type { Capabilities } from '../../../lib/llm/types.js'
import { type Asked, chatReply, modelServer, sendJson } from '../model-server.js'

t.setTimeout(240_000)

const impatient = {
  ...systemClock,
  sleep: (waitMs: number, signal?: AbortSignal) => systemClock.sleep(waitMs / 200, signal),
}

async function probed(url: string, options: Pick<ProbeOptions, 'memory' | 'brief'> = {}): Promise<Capabilities> {
  const client = httpClient(url, 64)
  try {
    const model = modelOptions.parse({ model: 'm', endpoints: [url] })
    const { capabilities } = await probeEndpoint(client, {}, model, AbortSignal.timeout(60_000), {
      clock: impatient,
      ...options,
    })
    return capabilities
  } finally {
    await client.close()
  }
}

/** A server with log-probabilities and continuing, that takes only max_completion_tokens in chat. */
function capable(asked: Asked): unknown {
  if ('max_tokens' in asked.body && 'messages' in asked.body) {
    const error = { message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'", param: 'max_tokens' }
    return sendJson(asked.response, 400, { error })
  }
  return accepting(asked)
}

/** The same, that takes every field. */
function accepting({ body }: Asked): unknown {
  const messages = body.messages as { role: string; content: string }[] | undefined
  if (messages === undefined) return completion(body)
  const top = ['好', '你'].map((token, place) => ({ token, logprob: -0.1 - place }))
  const logprobs = body.logprobs === true ? { content: [{ token: '好', logprob: -0.1, top_logprobs: top }] } : null
  const text = messages.map(({ content }) => content).join('')
  const continued = body.continue_final_message === true ? 0 : 4
  return {
    ...(chatReply('好', { logprobs }) as object),
    usage: { prompt_tokens: text.length + 4 * messages.length + continued, completion_tokens: 1 },
  }
}

function completion({ prompt }: Record<string, unknown>): unknown {
  const prompts = Array.isArray(prompt) ? prompt : [prompt]
  return {
    choices: prompts.map((_, index) => ({ index, text: '好', finish_reason: 'length', logprobs: null })),
    usage: { prompt_tokens: 2, completion_tokens: 1 },
  }
}

const troubles = [
  ({ response }: Asked) => sendJson(response, 429, { error: { message: 'Too many requests' } }),
  ({ response }: Asked) => sendJson(response, 500, { error: { message: 'Internal server error' } }),
  ({ response }: Asked) => sendJson(response, 503, { error: { message: 'Service unavailable' } }),
  ({ request }: Asked) => void request.socket.destroy(),
] as const

/** What shapes the output; the rest is for display. */
const shaping = ({ server: _, metrics: __, contextTokensMax: ___, ...rest }: Capabilities) => rest

t.test('Transient failures of any probe requests do not change its findings', async (t) => {
  const server = await modelServer(t, capable)
  const common = { topLogprobs: 20, continues: true, promptLists: true, unsupported: [] }
  const found = shaping(await probed(server.url))
  t.match(found, { ...common, maxTokensField: 'max_completion_tokens' })
  server.answer = accepting
  const foundAtOnce = shaping(await probed(server.url))
  t.strictSame(foundAtOnce, { ...found, maxTokensField: 'max_tokens' })
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed)
    const share = 0.1 + 0.3 * random()
    const [reply, undisturbed] = seed % 2 === 0 ? [capable, found] : [accepting, foundAtOnce]
    server.answer = (asked) => {
      if (random() >= share) return reply(asked)
      return troubles[Math.floor(random() * troubles.length)]?.(asked)
    }
    const disturbed = await probed(server.url).catch((error) => error)
    // A probe that gives up is repeated as a whole: it keeps nothing.
    if (disturbed instanceof Error) t.match(disturbed, { name: 'ServerError' }, `seed ${seed}`)
    else t.strictSame(shaping(disturbed), undisturbed, `seed ${seed}, ${share.toFixed(2)} of the requests fail`)
  }
})

t.test('One probe request that fails for a while does not change the findings', async (t) => {
  const server = await modelServer(t, capable)
  const undisturbed = shaping(await probed(server.url))
  const forms = new Set<string>()
  const form = ({ path, body }: Asked) =>
    `${path} ${Object.keys(body).sort()} ${JSON.stringify(body.messages ?? body.prompt)}`
  for (const asked of server.asked) forms.add(form(asked))
  t.ok(forms.size > 10, `${forms.size} forms`)
  for (const [place, chosen] of [...forms].entries()) {
    let left = 3
    const trouble = troubles[place % troubles.length] as (asked: Asked) => unknown
    server.answer = (asked) => (form(asked) === chosen && left-- > 0 ? trouble(asked) : capable(asked))
    const found = await probed(server.url).catch((error) => error)
    if (found instanceof Error) t.match(found, { name: 'ServerError' }, chosen)
    else t.strictSame(shaping(found), undisturbed, chosen)
  }
})

t.test('A refusal is a finding: one that names the field at once, any other when it comes twice', async (t) => {
  const refusals: [string, number, string][] = [
    ['names the field', 400, "Unrecognized request argument supplied: 'logprobs'"],
    ['forbids it', 403, 'You are not allowed to request logprobs from this model'],
    ['does not name it', 400, 'Bad request'],
  ]
  for (const [what, status, message] of refusals) {
    const server = await modelServer(t, (asked) =>
      'logprobs' in asked.body && 'messages' in asked.body
        ? sendJson(asked.response, status, { error: { message } })
        : capable(asked),
    )
    t.match(await probed(server.url), { logprobs: false, topLogprobs: null, continues: true }, what)
  }
})

t.test('A server that takes everything is probed with six requests; a sample with three of them', async (t) => {
  const server = await modelServer(t, accepting)
  const posts = () => server.asked.length
  await probed(server.url)
  t.equal(posts(), 6)
  const brief = await probed(server.url, { brief: true })
  t.equal(posts(), 9)
  t.match(brief, { topLogprobs: 20, continues: true, unsupported: [], promptLists: false })
})

t.test('Responses of an earlier process are used while the server describes itself as before', async (t) => {
  const server = await modelServer(t, accepting)
  const serving = (id: string) => (path: string) =>
    path.endsWith('/models') ? { status: 200, body: `{"data":[{"id":"${id}"}]}` } : { status: 404, body: 'not found' }
  server.get = serving('m')
  const posts = () => server.asked.length
  const sample = new ProbeMemory()
  await probed(server.url, { brief: true, memory: sample })
  t.equal(posts(), 3)
  const kept = JSON.parse(JSON.stringify(sample.kept()))
  const found = await probed(server.url, { memory: new ProbeMemory([kept]) })
  t.equal(posts(), 6, 'only what the sample did not ask')
  t.strictSame(found, await probed(server.url))
  const whole = posts()
  await probed(server.url, { memory: new ProbeMemory([{ servers: {} }, kept]) })
  t.equal(posts() - whole, 3)
  const old = structuredClone(kept)
  for (const each of Object.values<{ atMs: number }>(old.servers)) each.atMs -= 25 * 3600 * 1000
  const before = posts()
  await probed(server.url, { memory: new ProbeMemory([old]) })
  t.equal(posts() - before, 6, 'a day later everything is asked')
  server.get = serving('other')
  const replaced = posts()
  await probed(server.url, { memory: new ProbeMemory([kept]) })
  t.equal(posts() - replaced, 6, 'and of a server with other models')
})
