import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { Command } from 'commander'
import t from 'tap'
import { registerCommands, registerNamedCommand } from '../../lib/cli/command-loaders.js'
import { commandSummaries } from '../../lib/cli/command-summaries.js'
import { mainInProcess } from '../support/main-in-process.js'
import { projectRoot } from '../support/root.js'

const all = new Command('kun-stream')
await registerCommands(all)

const shown = (program: Command): string[] =>
  program.commands.map((command) => `${command.name()} ${command.usage()}: ${command.description()}`)

t.test('the list of the help is the same whether the commands are loaded or not', async (t) => {
  const summaries = new Command('kun-stream')
  await registerNamedCommand(summaries, ['--help'])
  t.strictSame(shown(summaries), shown(all))
  t.equal(all.commands.length, Object.keys(commandSummaries).length)
})

t.test('the help of every command fits a terminal of 80 columns', async (t) => {
  for (const name of Object.keys(commandSummaries)) {
    const { stdout } = await mainInProcess(t, [name, '--help'])
    const wide = stdout.split('\n').filter((line) => line.length > 80)
    if (name !== 'complete') t.ok(stdout.length > 100, name)
    t.strictSame(wide, [], name)
  }
})

t.test('only the command that the arguments name has its options', async (t) => {
  for (const argv of [
    ['status', 'out/demo'],
    ['--lang', 'zh', 'status'],
    ['help', 'status'],
  ]) {
    const program = new Command('kun-stream')
    await registerNamedCommand(program, argv)
    const loaded = program.commands.filter((command) => command.options.length > 0).map((command) => command.name())
    t.strictSame(loaded, ['status'], argv.join(' '))
  }
})

t.test('complete prints a script for each shell, and suggests commands and options', async (t) => {
  const complete = (...args: string[]): string =>
    spawnSync(process.execPath, [join(projectRoot, 'dist/bin/kun-stream.js'), 'complete', ...args], {
      encoding: 'utf8',
    }).stdout
  for (const shell of ['bash', 'zsh', 'fish']) t.match(complete(shell), 'kun-stream complete --', shell)
  t.match(complete('--', 'ins'), 'inspect\tshow rows')
  t.match(complete('--', 'inspect', '--re'), '--rejects')
})
