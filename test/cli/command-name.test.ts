import { resolve } from 'node:path'
import t from 'tap'
import { commandName, shellWord } from '../../lib/cli/command-name.js'

t.test('commands in messages start with the name under which the program was started', async (t) => {
  const script = resolve('dist/bin/kun-stream.js')
  t.equal(commandName(['node', script], { npm_command: 'exec' }), 'npx kun-stream')
  t.equal(commandName(['node', script], { npm_command: 'start' }), 'npx kun-stream')
  t.equal(commandName(['node', script], {}), 'node dist/bin/kun-stream.js')
  t.equal(commandName(['node', '/usr/bin/kun-stream'], {}), 'kun-stream')
})

t.test('a shell reads quoted words back unchanged', async (t) => {
  t.equal(shellWord('kun.score.keepAtLeast=0.4'), 'kun.score.keepAtLeast=0.4')
  t.equal(shellWord('models.judge.endpoints=[http://a:1/v1]'), `'models.judge.endpoints=[http://a:1/v1]'`)
  t.equal(shellWord("it's"), `'it'\\''s'`)
})
