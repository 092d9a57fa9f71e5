import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { commandName, shellWord } from '../../lib/cli/command-name.js'
import { projectRoot } from '../support/root.js'

const linked = join(projectRoot, 'bin/kun-stream.mjs')

t.test('commands in messages start with the name under which the program was started', async (t) => {
  const script = resolve('dist/bin/kun-stream.js')
  t.equal(commandName(['node', script], { npm_command: 'exec' }), 'npx kun-stream')
  t.equal(commandName(['node', script], { npm_command: 'start' }), 'npx kun-stream')
  t.equal(commandName(['node', script], {}), 'node dist/bin/kun-stream.js')
  t.equal(commandName(['node', resolve('bin/kun-stream.mjs')], {}), 'node bin/kun-stream.mjs')
  t.equal(commandName(['node', '/usr/bin/kun-stream'], {}), 'kun-stream')
})

t.test('a shell reads quoted words back unchanged', async (t) => {
  t.equal(shellWord('kun.score.keepAtLeast=0.4'), 'kun.score.keepAtLeast=0.4')
  t.equal(shellWord('models.judge.endpoints=[http://a:1/v1]'), `'models.judge.endpoints=[http://a:1/v1]'`)
  t.equal(shellWord("it's"), `'it'\\''s'`)
})

t.test('the file that npm links runs the build, and without one it says how to make it', async (t) => {
  const built = spawnSync(process.execPath, [linked, '--version'], { encoding: 'utf8' })
  t.match(built, { status: 0, stderr: '', stdout: /^\d+\.\d+\.\d+/ })
  const folder = t.testdir({ bin: {} })
  copyFileSync(linked, join(folder, 'bin/kun-stream.mjs'))
  const unbuilt = spawnSync(process.execPath, [join(folder, 'bin/kun-stream.mjs'), '--version'], { encoding: 'utf8' })
  t.match(unbuilt, { status: 2, stderr: /not built yet: run `npm run build`/, stdout: '' })
  t.match(JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')), {
    bin: { 'kun-stream': 'bin/kun-stream.mjs' },
  })
})
