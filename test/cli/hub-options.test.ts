import { Command } from 'commander'
import t from 'tap'
import { tokenOption } from '../../lib/cli/hub-options.js'

t.test(
  'a literal token on the command line works with one warning that does not contain it; a name has none',
  async (t) => {
    const written = t.capture(process.stderr, 'write')
    const parsed = (token: string) => {
      const command = new Command('x').addOption(tokenOption())
      command.parse(['node', 'x', '--token', token])
      return command
    }
    for (const token of ['env:MINE', 'file:~/token']) t.equal(parsed(token).opts().token, token)
    t.equal(written().length, 0)
    const command = parsed('hf_quite_a_secret')
    t.equal(command.opts().token, 'hf_quite_a_secret')
    const lines = written().map(({ args }) => String(args[0]))
    t.equal(lines.length, 1)
    t.match(lines[0], /^warning: --token contains the token itself.*\n$/)
    t.notMatch(lines[0], /quite/)
    t.match(command.helpInformation(), /--token <env:NAME\|file:PATH>/)
  },
)
