import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { s3Bench } from '../objects/s3-support.js'
import { mainInProcess } from '../support/main-in-process.js'
import { projectRoot } from '../support/root.js'

const corpus = join(projectRoot, 'fixtures/skypile/data')

t.test('a corpus in a bucket gives the bytes of the same corpus on disk', async (t) => {
  const { open, server } = await s3Bench(t)
  t.intercept(process, 'env', { value: { ...process.env, ...server.environment } })
  const store = open({}, 's3://kun')
  const directory = t.testdir()
  mkdirSync(join(directory, 'sky'))
  for (const name of readdirSync(corpus)
    .filter((each) => each.endsWith('.jsonl'))
    .slice(0, 2)) {
    const lines = readFileSync(join(corpus, name), 'utf8').split('\n').slice(0, 30)
    writeFileSync(join(directory, 'sky', name), `${lines.join('\n')}\n`)
    await store.putFile(name, join(directory, 'sky', name))
  }

  const run = async (name: string, files: string, faults: Parameters<typeof server.faults.set>[0] = []) => {
    const recipe = join(directory, `${name}.yaml`)
    const source = { split: 'sky', preset: 'skypile', files }
    writeFileSync(
      recipe,
      stringify({
        name: 'buckets',
        sources: [source],
        models: { builtin: { endpoints: ['builtin'] } },
        kun: { label: { model: 'builtin' }, score: { model: 'builtin' }, polish: { model: 'builtin' } },
        output: { dir: join(directory, name), candidatesPerCut: 50 },
      }),
    )
    server.faults.set(faults)
    const { code, stderr } = await mainInProcess(t, ['run', recipe])
    t.equal(code, 0, stderr)
    return contents(join(directory, name))
  }
  const local = await run('local', join(directory, 'sky/*.jsonl'))
  const remote = await run('remote', 's3://kun/*.jsonl', [{ kind: 'cut', match: 'GET /kun/.*jsonl', times: 3 }])
  t.ok(Object.keys(local).some((name) => name.endsWith('.parquet')))
  t.same(Object.keys(remote), Object.keys(local))
  t.same(remote, local)
})

/** Path → sha256 of the files that hold the dataset. */
function contents(run: string): Record<string, string> {
  const names = readdirSync(run, { recursive: true, encoding: 'utf8' }).filter((name) => /^(data|rejects)\//.test(name))
  const files = names.filter((name) => name.endsWith('.parquet')).sort()
  return Object.fromEntries(
    files.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(run, name)))
        .digest('hex'),
    ]),
  )
}
