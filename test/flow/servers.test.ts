/** A small run by the command line against a fake of each kind of server that docs/servers.md names. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import t, { type Test } from 'tap'
import type { Capabilities } from '../../lib/llm/types.js'
import { documents } from '../fault/mini-run.js'
import { command } from '../support/commands.js'
import type { FakeServer } from '../support/servers/base.js'
import { dashscopeServer } from '../support/servers/dashscope.js'
import { llamaServer } from '../support/servers/llama.js'
import { lmStudioServer } from '../support/servers/lm-studio.js'
import { newApiServer } from '../support/servers/new-api.js'
import { ollamaServer } from '../support/servers/ollama.js'
import { openaiServer } from '../support/servers/openai.js'
import { sglangServer } from '../support/servers/sglang.js'
import { tgiServer } from '../support/servers/tgi.js'
import { vllmServer } from '../support/servers/vllm.js'

t.setTimeout(600_000)

const runTimeMs = 120_000
const root = t.testdir()
const input = join(root, 'documents.jsonl')
writeFileSync(input, documents(12).join('\n'))
const key = 'sk-test-0123456789'
let runs = 0

interface Ran {
  readonly code: number | null
  readonly stderr: string
  readonly rows: readonly { readonly instruction: string; readonly output: string; readonly scoreKind: string }[]
  /** Null where the run did not begin. */
  readonly capabilities: Capabilities | null
  /** Rejects by reason. */
  readonly rejects: Readonly<Record<string, number>>
}

/**
 * The command as users start it; `model` is YAML of the model's options beside its endpoint. The family of tokens is
 * given because models of other names would have other chunks.
 */
async function run(t: Test, server: FakeServer, model = 'model: qwen-x', set: readonly string[] = []): Promise<Ran> {
  const directory = join(root, `run-${runs++}`)
  const recipe = `${directory}.yaml`
  const yaml = `
name: servers
sources: [{ split: skypile, preset: skypile, files: '${input}' }]
prepare: { chunk: { tokensOf: qwen } }
workers: { threads: 1 }
servers: { outageMaxMs: 20s }
models:
  m: { endpoints: ['${server.url}'], ${model} }
kun: { label: { model: m }, score: { model: m }, polish: { model: m } }
output: { dir: unused }
`
  writeFileSync(recipe, yaml)
  const sets = set.flatMap((each) => ['--set', each])
  const started = command('bin/kun-stream.js', ['run', recipe, '--out', directory, ...sets], {
    NO_COLOR: '1',
    FAKE_KEY: key,
  })
  const timer = setTimeout(() => started.child.kill('SIGKILL'), runTimeMs)
  const { code, err, signal } = await started.ended
  clearTimeout(timer)
  t.equal(signal, null, 'the run ends by itself')
  t.notMatch(err, /\n\s+at .*\.js:/, 'no stack')
  const pinned = join(directory, 'run.json')
  return {
    code,
    stderr: err,
    rows: (await rowsOf(join(directory, 'data'))).map((row) => ({
      instruction: String(row.instruction),
      output: String(row.output),
      scoreKind: String(row.score_kind),
    })),
    capabilities: existsSync(pinned) ? JSON.parse(readFileSync(pinned, 'utf8')).free.capabilities.m : null,
    rejects: rejectsOf(await rowsOf(join(directory, 'rejects'))),
  }
}

async function rowsOf(folder: string): Promise<Record<string, unknown>[]> {
  if (!existsSync(folder)) return []
  const rows: Record<string, unknown>[] = []
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    if (!name.endsWith('.parquet')) continue
    rows.push(...(await parquetReadObjects({ file: await asyncBufferFromFile(join(folder, name)), compressors })))
  }
  return rows
}

function rejectsOf(rejects: readonly Record<string, unknown>[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { reason } of rejects) counts[String(reason)] = (counts[String(reason)] ?? 0) + 1
  return counts
}

/** Record requests that the server refused because of a field that the probe had excluded. */
function refusedFields({ answered }: FakeServer): unknown[] {
  return answered
    .filter(({ request, status }) => request.task !== 'probe' && (status === 400 || status === 422))
    .map(({ request }) => Object.keys(request.body))
}

const texts = ({ rows }: Ran): string[] => rows.map(({ instruction, output }) => `${instruction} ${output}`).sort()
const kinds = ({ rows }: Ran): string[] => [...new Set(rows.map(({ scoreKind }) => scoreKind))]

let reference: Promise<Ran> | null = null

/** The run on a vLLM server that can everything: its rows are those of every other server. */
function referenceRun(t: Test): Promise<Ran> {
  reference ??= vllmServer(t).then((server) => run(t, server))
  return reference
}

async function equalRows(t: Test, server: FakeServer, ran: Ran, kind: 'logprob' | 'rule'): Promise<void> {
  t.equal(ran.code, 0, ran.stderr)
  t.strictSame(texts(ran), texts(await referenceRun(t)), 'the rows are those of every server')
  t.strictSame(kinds(ran), [kind])
  t.strictSame(refusedFields(server), [], 'no request has a field that the server refuses')
}

t.test('vLLM: rows scored by log-probabilities, and every capability is detected', async (t) => {
  const server = await vllmServer(t)
  const ran = await run(t, server)
  reference ??= Promise.resolve(ran)
  t.ok(ran.rows.length >= 5 && ran.rejects['score-low'] !== undefined, `${ran.rows.length} rows, some scored low`)
  await equalRows(t, server, ran, 'logprob')
  t.match(ran.capabilities, {
    server: 'vllm 0.12.0',
    contextTokensMax: 4096,
    metrics: true,
    promptLists: true,
    logprobs: true,
    topLogprobs: 20,
    continues: true,
    unsupported: [],
  })
  t.notMatch(ran.stderr, /without|does not take|comes from/)
})

t.test('vLLM with --max-logprobs 5: scores rest on five, and a line says so', async (t) => {
  const server = await vllmServer(t, { maxLogprobs: 5 })
  const ran = await run(t, server)
  await equalRows(t, server, ran, 'logprob')
  t.match(ran.capabilities, { topLogprobs: 5, continues: true })
  t.match(ran.stderr, /gives 5 log-probabilities, not 20/)
})

t.test('vLLM with --max-logprobs 0: the published rule, and a line says so', async (t) => {
  const server = await vllmServer(t, { maxLogprobs: 0 })
  const ran = await run(t, server)
  await equalRows(t, server, ran, 'rule')
  t.match(ran.capabilities, { topLogprobs: null, logprobs: false })
  t.match(ran.stderr, /without log-probabilities/)
  t.match(ran.stderr, /score: scores 1 or 0 by the published rule/)
})

t.test('vLLM with a reasoning parser: the thought is not used as a score, and a line names the setting', async (t) => {
  const server = await vllmServer(t, { reasoning: true })
  const ran = await run(t, server)
  await equalRows(t, server, ran, 'rule')
  t.match(ran.capabilities, { continues: false })
  t.match(ran.stderr, /thinks before it answers.*enable_thinking: false/)
})

t.test('vLLM with a reasoning parser and enable_thinking: false: scores by log-probabilities', async (t) => {
  const server = await vllmServer(t, { reasoning: true })
  const ran = await run(t, server, 'model: qwen-x, chatTemplateKwargs: { enable_thinking: false }')
  await equalRows(t, server, ran, 'logprob')
  t.match(ran.capabilities, { continues: true, chatTemplateKwargs: true })
  t.notMatch(ran.stderr, /thinks before/)
})

t.test('vLLM under another name: one message with the names that it serves, exit code 2', async (t) => {
  const ran = await run(t, await vllmServer(t, { model: 'org/qwen-x' }))
  t.equal(ran.code, 2)
  t.match(ran.stderr, /does not exist/)
  t.match(ran.stderr, /org\/qwen-x/)
  t.equal(ran.capabilities, null)
})

t.test('OpenAI: unknown fields are not sent, and scores follow the published rule', async (t) => {
  const server = await openaiServer(t, key)
  const ran = await run(t, server, 'model: gpt-x, apiKey: env:FAKE_KEY')
  await equalRows(t, server, ran, 'rule')
  t.match(ran.capabilities, {
    maxTokensField: 'max_completion_tokens',
    continues: false,
    promptLists: false,
    metrics: false,
    logprobs: true,
    topLogprobs: 20,
  })
  for (const name of ['top_k', 'min_p', 'repetition_penalty', 'continue_final_message', 'add_generation_prompt']) {
    t.ok(ran.capabilities?.unsupported.includes(name), name)
  }
  t.notOk(ran.capabilities?.unsupported.includes('seed'))
  t.match(ran.stderr, /takes max_completion_tokens in place of max_tokens/)
  t.notMatch(ran.stderr, /gpt-x-2025/, 'a dated name of the same model is not worth a line')
  t.notMatch(ran.stderr, new RegExp(key))
})

t.test('OpenAI, a reasoning model: rows without temperature and log-probabilities', async (t) => {
  const server = await openaiServer(t, key, true)
  const ran = await run(t, server, 'model: gpt-x, apiKey: env:FAKE_KEY')
  await equalRows(t, server, ran, 'rule')
  t.match(ran.capabilities, { maxTokensField: 'max_completion_tokens', logprobs: false })
  for (const name of ['temperature', 'top_p']) t.ok(ran.capabilities?.unsupported.includes(name), name)
  t.match(ran.stderr, /does not take temperature: not sent/)
})

t.test('OpenAI with a wrong key: one message without the key, exit code 2', async (t) => {
  const ran = await run(t, await openaiServer(t, 'sk-other-0123456789'), 'model: gpt-x, apiKey: env:FAKE_KEY')
  t.equal(ran.code, 2)
  t.match(ran.stderr, /Incorrect API key provided.*Check the model's name, the address and the key/)
  t.notMatch(ran.stderr, new RegExp(key))
})

for (const refusesLogprobs of [false, true]) {
  const how = refusesLogprobs ? 'refused' : 'ignored'
  t.test(`DashScope, log-probabilities ${how}: the published rule; throttling is waited for`, async (t) => {
    const server = await dashscopeServer(t, { refusesLogprobs })
    const ran = await run(t, server)
    await equalRows(t, server, ran, 'rule')
    t.match(ran.capabilities, { logprobs: false, continues: false, metrics: false })
    t.match(ran.stderr, /without .*log-probabilities/)
  })
}

t.test('DashScope: a text refused by its moderation is one reject, the others become rows', async (t) => {
  const server = await dashscopeServer(t, { sensitive: sensitiveWord() })
  const ran = await run(t, server)
  t.equal(ran.code, 0, ran.stderr)
  t.ok((ran.rejects['content-refused'] ?? 0) >= 1)
  t.ok(ran.rows.length > 0 && (await areOfReference(t, ran)))
})

t.test('DashScope in arrears: exit code 3 with its error text, and no record is rejected', async (t) => {
  const server = await dashscopeServer(t, { labelsUntilArrears: 4 })
  const ran = await run(t, server)
  t.equal(ran.code, 3, ran.stderr)
  t.match(ran.stderr, /refuses the account .*good standing/)
  t.strictSame(ran.rejects, {})
})

t.test(
  'new-api: limits and errors in Chinese are waited for, its moderation is a reject, tokens are estimated',
  async (t) => {
    const server = await newApiServer(t, sensitiveWord(), 'other-y')
    const ran = await run(t, server)
    t.equal(ran.code, 0, ran.stderr)
    t.ok((ran.rejects['content-refused'] ?? 0) >= 1)
    t.strictSame(kinds(ran), ['rule'])
    t.ok(ran.rows.length > 0 && (await areOfReference(t, ran)))
    t.match(ran.stderr, /sends no usable token counts/)
    t.equal(
      ran.stderr.split('other-y').length - 1,
      1,
      'the model that answers in place of the one asked for is said once',
    )
  },
)

t.test('new-api with a wrong model: one message that names what it serves, exit code 2', async (t) => {
  const ran = await run(t, await newApiServer(t, '无'), 'model: qwen-y')
  t.equal(ran.code, 2, ran.stderr)
  t.match(ran.stderr, /无可用渠道/)
  t.match(ran.stderr, /qwen-x/)
})

t.test('TGI: failed generations are retried, eos_token ends a reply, the served model is reported', async (t) => {
  const server = await tgiServer(t)
  const ran = await run(t, server, 'model: tgi')
  await equalRows(t, server, ran, 'rule')
  t.match(ran.capabilities, { contextTokensMax: 4096, metrics: true, continues: false, topLogprobs: 5 })
  t.match(ran.capabilities?.server, /tgi/)
  t.equal(ran.stderr.split('Qwen/X').length - 1, 1)
})

t.test('llama-server: the run waits while it loads, and it continues an opened turn by itself', async (t) => {
  const server = await llamaServer(t, { loadingMs: 1000 })
  const ran = await run(t, server)
  await equalRows(t, server, ran, 'logprob')
  t.match(ran.capabilities, { contextTokensMax: 8192, continues: true, metrics: false })
  t.match(ran.capabilities?.server, /llama/)
  t.ok(ran.capabilities?.unsupported.includes('continue_final_message'))
  t.match(ran.stderr, /not ready \(Loading model\); waiting/)
})

t.test('llama-server with a model that thinks: an opened turn is refused, the published rule is used', async (t) => {
  const server = await llamaServer(t, { thinks: true })
  const ran = await run(t, server)
  await equalRows(t, server, ran, 'rule')
  t.match(ran.capabilities, { continues: false })
  const off = await llamaServer(t, { thinks: true })
  await equalRows(t, off, await run(t, off, 'model: qwen-x, chatTemplateKwargs: { enable_thinking: false }'), 'logprob')
})

t.test('SGLang: rows scored by log-probabilities, metrics and lists of prompts', async (t) => {
  const server = await sglangServer(t)
  const ran = await run(t, server)
  await equalRows(t, server, ran, 'logprob')
  t.match(ran.capabilities, { contextTokensMax: 4096, metrics: true, promptLists: true, continues: true })
  t.match(ran.capabilities?.server, /sglang/)
})

t.test('Ollama: rows by the published rule; its tag is the same model', async (t) => {
  const server = await ollamaServer(t)
  const ran = await run(t, server)
  await equalRows(t, server, ran, 'rule')
  t.match(ran.capabilities, { logprobs: false, promptLists: false, continues: false })
  t.match(ran.capabilities?.server, /ollama/)
  t.notMatch(ran.stderr, /the recipe says/)
})

t.test('LM Studio: rows by the published rule; an error inside a 200 is not a capability', async (t) => {
  const server = await lmStudioServer(t)
  const ran = await run(t, server)
  await equalRows(t, server, ran, 'rule')
  t.match(ran.capabilities, { contextTokensMax: 4096, logprobs: false, metrics: false })
})

t.test('LM Studio without a model: one message, exit code 2', async (t) => {
  const ran = await run(t, await lmStudioServer(t, false))
  t.equal(ran.code, 2, ran.stderr)
  t.match(ran.stderr, /No models loaded/)
})

/** With one record refused, the others are as on every server. */
async function areOfReference(t: Test, ran: Ran): Promise<boolean> {
  const all = texts(await referenceRun(t))
  return texts(ran).every((row) => all.includes(row))
}

/** A word of one document of the input. */
function sensitiveWord(): string {
  const all = documents(12)
  for (const pair of all.join('').matchAll(/[一-龥]{2}/g)) {
    const count = all.filter((text) => text.includes(pair[0])).length
    if (count === 1) return pair[0]
  }
  throw new Error('no word is rare')
}
