/** A key that is replaced between two calls of a run whose replies repeated the first one. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { command } from '../support/commands.js'
import { errorBody, type Request, reply } from '../support/servers/base.js'
import { vllmServer } from '../support/servers/vllm.js'
import { bytesOn, differing, documents, miniRecipe } from './mini-run.js'

t.setTimeout(300_000)

const [oldKey, newKey] = ['sk-old-4c1f90aa73e2', 'sk-new-8d52b7c0e1f6']
const keyOf = ({ headers }: Request) => String(headers.authorization).replace('Bearer ', '')
/** Whose replies repeat the key: a fifth of the records. */
const repeatsKey = ({ task, prompt }: Request) => task === 'label' && prompt.length % 5 === 0

async function reasonsOf(directory: string): Promise<string[]> {
  const reasons: string[] = []
  for (const name of await nodeFiles.list(join(directory, 'rejects'))) {
    const part = await openPart(join(directory, 'rejects', name))
    for await (const { reason } of rowsOf(part)) reasons.push(String(reason))
    await part.close()
  }
  return reasons
}

function filesWith(directory: string, text: string): string[] {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => /\.\w+$/.test(name))
  return names.filter((name) => readFileSync(join(directory, name)).includes(text))
}

async function setUp(t: Test) {
  const server = await vllmServer(t, { models: ['writer', 'judge'] })
  const root = t.testdir()
  const [recipe, input] = [join(root, 'recipe.yaml'), join(root, 'documents.jsonl')]
  writeFileSync(input, documents(20).join('\n'))
  writeFileSync(recipe, miniRecipe(server.url, input).replaceAll(', limiter', ', apiKey: env:KUN_TEST_KEY, limiter'))
  const run = async (name: string, key: string, ...more: string[]) => {
    const directory = join(root, name)
    const args = ['run', recipe, '--out', directory, ...more]
    return { directory, ...(await command('bin/kun-stream.js', args, { NO_COLOR: '1', KUN_TEST_KEY: key }).ended) }
  }
  return { server, run }
}

t.test(
  'a run resumes under another key: what was kept stays, nothing is requested twice, the bytes are equal',
  async (t) => {
    const { server, run } = await setUp(t)
    let labelsMax = Number.POSITIVE_INFINITY
    let labels = 0
    server.intercept = (request) => {
      if (request.task === 'label' && keyOf(request) === oldKey && ++labels > labelsMax) labelsMax = -1
      if (labelsMax === -1 && keyOf(request) === oldKey) {
        return { status: 402, body: errorBody('Insufficient Balance', 'unknown_error', null) }
      }
      return repeatsKey(request)
        ? reply(request, { content: `请用密钥 ${keyOf(request)} 登录以后再回答这个问题。` })
        : null
    }
    const whole = await run('whole', oldKey)
    t.equal(whole.code, 0, whole.err)
    const reasons = (await reasonsOf(whole.directory)).filter((reason) => reason === 'secret-reply')
    t.ok(reasons.length >= 2, `${reasons.length} secret-reply`)

    const [first, all] = [server.answered.length, labels]
    labels = 0
    labelsMax = all >> 1
    const stopped = await run('changed', oldKey)
    t.equal(stopped.code, 3, stopped.err)
    t.match(stopped.err, /Insufficient Balance/)
    const resumed = await run('changed', newKey)
    t.equal(resumed.code, 0, resumed.err)
    t.strictSame(differing(await bytesOn(nodeFiles, resumed.directory), await bytesOn(nodeFiles, whole.directory)), [])
    const paid = server.answered
      .slice(first)
      .filter(({ request, status }) => request.task !== 'probe' && status === 200)
    const bodies = paid.map(({ request }) => JSON.stringify(request.body))
    t.equal(new Set(bodies).size, bodies.length, 'no request is repeated')
    const keys = new Set(paid.filter(({ request }) => repeatsKey(request)).map(({ request }) => keyOf(request)))
    t.strictSame([...keys].sort(), [newKey, oldKey], 'replies repeated both keys')
    for (const key of [oldKey, newKey]) t.strictSame(filesWith(resumed.directory, key), [], 'neither is kept')
  },
)
