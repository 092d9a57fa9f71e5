import t from 'tap'
import { hasColors } from '../../../lib/cli/terminal/colors.js'
import { command } from '../../support/commands.js'

const terminal = { isTTY: true }
const pipe = { isTTY: false }

t.test('only a terminal has colours, or what FORCE_COLOR asks for; NO_COLOR counts first', async (t) => {
  t.equal(hasColors({}, terminal), true)
  t.equal(hasColors({ TERM: 'xterm' }, terminal), true)
  t.equal(hasColors({ TERM: 'dumb' }, terminal), false)
  t.equal(hasColors({}, pipe), false)
  t.equal(hasColors({}, {}), false)
  t.equal(hasColors({ CI: 'true' }, pipe), false)
  t.equal(hasColors({ CI: 'true' }, terminal), true)
  t.equal(hasColors({ FORCE_COLOR: '1' }, pipe), true)
  t.equal(hasColors({ FORCE_COLOR: '0' }, terminal), false)
  t.equal(hasColors({ NO_COLOR: '1', FORCE_COLOR: '1' }, terminal), false)
  t.equal(hasColors({ NO_COLOR: '', FORCE_COLOR: '' }, terminal), true)
})

t.test('a pipe of a CI system gets no escape sequences', async (t) => {
  const pages = [['--help'], ['run', '--help'], ['plan', 'recipes/demo.yaml'], ['no-such-command']]
  for (const args of pages) {
    const { out, err } = await command('bin/kun-stream.js', args, { CI: 'true', NO_COLOR: '', FORCE_COLOR: '' }).ended
    t.notMatch(out + err, '\u001b', args.join(' '))
    t.match(out + err, /\w/)
  }
})
