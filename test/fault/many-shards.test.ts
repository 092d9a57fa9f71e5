import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { projectRoot } from '../support/root.js'
import { documents } from './mini-run.js'

/** Node alone opens some hundred modules at its start; the run has the rest. */
const cases = [
  { files: 1000, openFilesMax: 256, commands: ['plan', 'run'] },
  { files: 3000, openFilesMax: 1024, commands: ['run'] },
]

t.setTimeout(300_000)

for (const { files, openFilesMax, commands } of cases) {
  t.test(`${commands.join(' and ')}: all of ${files} shards with a limit of ${openFilesMax} open files`, async (t) => {
    const root = t.testdir()
    mkdirSync(join(root, 'in'))
    const lines = documents(40)
    for (let index = 0; index < files; index++) {
      writeFileSync(join(root, 'in', `${index}.jsonl`), `${lines[index % lines.length]}\n`)
    }
    writeFileSync(
      join(root, 'recipe.yaml'),
      `name: many
sources: [{ split: s, preset: skypile, files: '${root}/in/*' }]
models: { m: { endpoints: [builtin] } }
kun: { label: { model: m } }
output: { dir: '${root}/out' }
`,
    )
    const program = join(projectRoot, 'dist/bin/kun-stream.js')
    for (const name of commands) {
      const line = `ulimit -n ${openFilesMax} && exec "${process.execPath}" "${program}" ${name} "${root}/recipe.yaml"`
      const child = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 240_000 })
      let said = ''
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (chunk: string) => {
          said += chunk
        })
      }
      const [code] = await once(child, 'close')
      t.equal(code, 0, said)
      const shown = files.toLocaleString('en')
      t.match(said, name === 'plan' ? `${shown} shards` : new RegExp(`documents +${shown}`))
    }
  })
}
