import { resolve } from 'node:path'
import t from 'tap'
import { called, quoted } from '../../lib/cli/command-name.js'

t.test('what is to be typed next is said as the program was started', async (t) => {
  const script = resolve('dist/bin/kun-stream.js')
  t.equal(called(['node', script], { npm_command: 'exec' }), 'npx kun-stream')
  t.equal(called(['node', script], { npm_command: 'start' }), 'npx kun-stream')
  t.equal(called(['node', script], {}), 'node dist/bin/kun-stream.js')
  t.equal(called(['node', '/usr/bin/kun-stream'], {}), 'kun-stream')
})

t.test('words come back from a shell as they are', async (t) => {
  t.equal(quoted('kun.score.keepAtLeast=0.4'), 'kun.score.keepAtLeast=0.4')
  t.equal(quoted('models.judge.endpoints=[http://a:1/v1]'), `'models.judge.endpoints=[http://a:1/v1]'`)
  t.equal(quoted("it's"), `'it'\\''s'`)
})
