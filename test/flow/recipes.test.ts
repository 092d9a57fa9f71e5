/** Each recipe of recipes/ that calls servers runs against a fake of its kind of server. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { documents } from '../fault/mini-run.js'
import { command } from '../support/commands.js'
import { projectRoot } from '../support/root.js'
import type { FakeServer } from '../support/servers/base.js'
import { dashscopeServer } from '../support/servers/dashscope.js'
import { llamaServer } from '../support/servers/llama.js'
import { ollamaServer } from '../support/servers/ollama.js'
import { sglangServer } from '../support/servers/sglang.js'
import { vllmServer } from '../support/servers/vllm.js'

t.setTimeout(600_000)
const runTimeMs = 120_000
const root = t.testdir()
const input = join(root, 'documents.jsonl')
writeFileSync(input, documents(6).join('\n'))
const own = `{ split: train, files: '${input}', text: text }`

interface RecipeServer {
  readonly fake: (t: Test) => Promise<FakeServer>
  readonly models: readonly string[]
}

const vllm = (...models: string[]): RecipeServer => ({ fake: (t) => vllmServer(t), models })
const chat: readonly string[] = ['chat']
const servers: Readonly<Record<string, RecipeServer>> = {
  dashscope: { fake: (t) => dashscopeServer(t), models: chat },
  'llama-cpp': { fake: (t) => llamaServer(t), models: chat },
  ollama: { fake: (t) => ollamaServer(t), models: chat },
  sglang: { fake: (t) => sglangServer(t), models: chat },
  'one-gpu': vllm('writer', 'judge'),
  skypile: vllm('chat'),
  'vllm-one-server': vllm('chat'),
  'vllm-two-servers': vllm('writer', 'judge'),
  wanjuan: vllm('chat'),
  wudao: vllm('chat'),
}
/** The built-in server, tested elsewhere; prompts of others, which a clone of COIG-Kun has. */
const elsewhere = ['demo', 'kun-paper']

t.test('every recipe has its kind of server here', async (t) => {
  const names = readdirSync(join(projectRoot, 'recipes')).filter((name) => name.endsWith('.yaml'))
  t.strictSame(
    names.map((name) => name.slice(0, -'.yaml'.length)).sort(),
    [...Object.keys(servers), ...elsewhere].sort(),
  )
})

for (const [name, { fake, models }] of Object.entries(servers)) {
  t.test(`recipes/${name}.yaml makes rows on its kind of server`, async (t) => {
    const server = await fake(t)
    const out = join(root, name)
    const sets = [
      `sources[0]=${own}`,
      'workers.threads=1',
      ...models.flatMap((model) => [`models.${model}.endpoints=['${server.url}']`, `models.${model}.model=qwen-x`]),
    ]
    const started = command(
      'bin/kun-stream.js',
      ['run', `recipes/${name}.yaml`, '--out', out, ...sets.flatMap((set) => ['--set', set])],
      { NO_COLOR: '1', DASHSCOPE_API_KEY: 'sk-test-0123456789' },
    )
    const timer = setTimeout(() => started.child.kill('SIGKILL'), runTimeMs)
    const { code, err } = await started.ended
    clearTimeout(timer)
    t.equal(code, 0, err)
    const rows = readdirSync(join(out, 'data')).filter((file) => file.endsWith('.parquet'))
    t.ok(rows.length > 0, 'rows were made')
    t.ok(
      server.answered.some(({ request }) => request.task !== 'probe'),
      'the server wrote them',
    )
  })
}
