/** What a probe keeps of a server: what it can do, never that it was busy for a while. */
import t from 'tap'
import { systemClock } from '../../../lib/core/clock.js'
import { seededRandom } from '../../../lib/core/random.js'
import { probeEndpoint } from '../../../lib/llm/endpoint/probe.js'
import { modelOptions } from '../../../lib/llm/options.js'
import { httpClient } from '../../../lib/llm/protocol/client.js'
import type { Capabilities } from '../../../lib/llm/types.js'
import { type Asked, chatReply, modelServer, sendJson } from '../model-server.js'

t.setTimeout(240_000)

const impatient = {
  ...systemClock,
  sleep: (waitMs: number, signal?: AbortSignal) => systemClock.sleep(waitMs / 200, signal),
}

async function probed(url: string): Promise<Capabilities> {
  const client = httpClient(url, 64)
  try {
    const options = modelOptions.parse({ model: 'm', endpoints: [url] })
    const { capabilities } = await probeEndpoint(client, {}, options, AbortSignal.timeout(60_000), impatient)
    return capabilities
  } finally {
    await client.close()
  }
}

/** A server with log-probabilities and continuing, that takes only max_completion_tokens in chat. */
function capable({ body, response }: Asked): unknown {
  const messages = body.messages as { role: string; content: string }[] | undefined
  if (messages === undefined) return completion(body)
  if ('max_tokens' in body) {
    const error = { message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'", param: 'max_tokens' }
    return sendJson(response, 400, { error })
  }
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
  const undisturbed = shaping(await probed(server.url))
  t.match(undisturbed, {
    topLogprobs: 20,
    continues: true,
    maxTokensField: 'max_completion_tokens',
    promptLists: true,
    unsupported: [],
  })
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed)
    const share = 0.1 + 0.3 * random()
    server.answer = (asked) => {
      if (random() >= share) return capable(asked)
      return troubles[Math.floor(random() * troubles.length)]?.(asked)
    }
    const found = await probed(server.url).catch((error) => error)
    // A probe that gives up is repeated as a whole: it keeps nothing.
    if (found instanceof Error) t.match(found, { name: 'ServerError' }, `seed ${seed}`)
    else t.strictSame(shaping(found), undisturbed, `seed ${seed}, ${share.toFixed(2)} of the requests fail`)
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
