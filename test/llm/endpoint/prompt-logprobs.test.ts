/** Servers that give the log-probabilities of a prompt, in which form, and those that do not. */
import t, { type Test } from 'tap'
import { commonCapabilities, requireCapabilities } from '../../../lib/llm/endpoint/capabilities.js'
import { probeEndpoint } from '../../../lib/llm/endpoint/probe.js'
import { modelOptions } from '../../../lib/llm/options.js'
import { httpClient } from '../../../lib/llm/protocol/client.js'
import type { Capabilities } from '../../../lib/llm/types.js'
import { startSimulator } from '../../../lib/simulator/vllm/index.js'
import { type Asked, modelServer, sendJson } from '../model-server.js'

async function probed(url: string, readsPrompts = true): Promise<Capabilities> {
  const client = httpClient(url, 64)
  try {
    const options = { ...modelOptions.parse({ model: 'm', endpoints: [url] }), readsPrompts }
    return (await probeEndpoint(client, {}, options, AbortSignal.timeout(60_000))).capabilities
  } finally {
    await client.close()
  }
}

async function simulated(t: Test, missing: readonly ('echo' | 'prompt-logprobs')[]) {
  const server = await startSimulator({ missing: [...missing] })
  t.teardown(() => server.close())
  return server
}

t.test('the forms of a server are found by their effect, only where a stage needs them', async (t) => {
  const formsOf = async (...missing: ('echo' | 'prompt-logprobs')[]) =>
    (await probed((await simulated(t, missing)).url)).promptLogprobs
  t.strictSame(await formsOf(), ['echo', 'echo-one', 'prompt-logprobs'])
  t.strictSame(await formsOf('prompt-logprobs'), ['echo', 'echo-one'])
  t.strictSame(await formsOf('echo'), ['prompt-logprobs'])
  t.strictSame(await formsOf('echo', 'prompt-logprobs'), [], 'the fields are ignored or refused')
  const server = await simulated(t, [])
  t.notOk('promptLogprobs' in (await probed(server.url, false)))
  t.notOk(server.requests().some(({ body }) => body.includes('echo')))
})

/** A server with completions only; `logprobs` is what its choices have for a prompt of these tokens. */
function completions(tokens: number, logprobs: (body: Asked['body']) => unknown) {
  return ({ path, body, response }: Asked) => {
    if (!path.endsWith('/completions') || path.includes('chat')) return sendJson(response, 404, {})
    const prompts = Array.isArray(body.prompt) ? body.prompt : [body.prompt]
    const choices = prompts.map((_, index) => ({
      index,
      text: '好',
      finish_reason: 'length',
      logprobs: logprobs(body),
    }))
    return { choices, usage: { prompt_tokens: tokens, completion_tokens: 1 } }
  }
}

const listOf = (values: (number | null)[]) => ({
  tokens: values.map((_, index) => `t${index}`),
  token_logprobs: values,
})

t.test('a server that returns no value for each token of the prompt does not give them', async (t) => {
  const faults: Readonly<Record<string, (body: Asked['body']) => unknown>> = {
    'the new token only': () => listOf([-1]),
    'a prompt without values': () => listOf([null, null, null, null, null, null, -1]),
    'a prompt that is cut': () => listOf([null, -1, -2, -1, -1]),
    nothing: () => null,
  }
  for (const [what, logprobs] of Object.entries(faults)) {
    const server = await modelServer(t, completions(8, logprobs))
    t.strictSame((await probed(server.url)).promptLogprobs, [], what)
  }
  const refusing = completions(8, ({ max_tokens }) =>
    listOf([null, -1, -2, -1, -1, -3, -1, -1, ...(max_tokens === 1 ? [-1] : [])]),
  )
  const sglang = await modelServer(t, (asked) =>
    asked.body.max_tokens === 0
      ? sendJson(asked.response, 400, { error: { message: 'max_tokens must be at least 1' } })
      : refusing(asked),
  )
  t.strictSame((await probed(sglang.url)).promptLogprobs, ['echo-one'])
})

t.test('a model has the forms that all of its endpoints have, and the pinned form is required', async (t) => {
  const base = (await probed((await simulated(t, [])).url, false)) as Capabilities
  const both: Capabilities = { ...base, promptLogprobs: ['echo', 'echo-one'] }
  const one: Capabilities = { ...base, promptLogprobs: ['echo-one', 'prompt-logprobs'] }
  t.strictSame(commonCapabilities([both, one]).promptLogprobs, ['echo-one'])
  t.notOk('promptLogprobs' in commonCapabilities([both, base]))
  requireCapabilities('a', one, { ...base, promptLogprobs: ['echo-one'] })
  t.throws(() => requireCapabilities('a', one, both), {
    code: 'KUN_ENDPOINT',
    message:
      "a lacks log-probabilities of prompts (form 'echo'), which this run was started with. Use another endpoint",
  })
})
