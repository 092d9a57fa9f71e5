import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { projectRoot } from '../support/root.js'
import { documents } from './mini-run.js'

const files = 1000
/** Node alone opens some hundred modules at its start; the run has the rest. */
const openFilesLimit = 256

t.setTimeout(300_000)

t.test(`${files} shards are planned and run with a limit of ${openFilesLimit} open files`, async (t) => {
  const root = t.testdir()
  mkdirSync(join(root, 'in'))
  const [line = ''] = documents(1)
  for (let index = 0; index < files; index++) writeFileSync(join(root, 'in', `${index}.jsonl`), `${line}\n`)
  writeFileSync(
    join(root, 'recipe.yaml'),
    `name: many
sources: [{ split: s, preset: skypile, files: '${root}/in/*' }]
models: { m: { endpoints: [builtin] } }
kun: { label: { model: m } }
output: { dir: '${root}/out' }
`,
  )
  for (const name of ['plan', 'run']) {
    const program = join(projectRoot, 'dist/bin/kun-stream.js')
    const line = `ulimit -n ${openFilesLimit} && exec "${process.execPath}" "${program}" ${name} "${root}/recipe.yaml"`
    const child = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 240_000 })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk
      })
    }
    const [code] = await once(child, 'close')
    t.equal(code, 0, said)
    t.match(said, name === 'plan' ? /1,000 shards/ : /documents +1,000/)
  }
})
