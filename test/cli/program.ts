/** The commands under test, as a process of their own: `node program.js dedup …`. */
import { Command } from 'commander'
import { registerNamedCommand } from '../../lib/cli/command-loaders.js'
import type { KunStreamError } from '../../lib/errors.js'

const program = new Command()
await registerNamedCommand(program, process.argv.slice(2))
program.parseAsync().catch((error: KunStreamError) => {
  process.stderr.write(`${error.name}: ${error.message}`)
  process.exitCode = error.exitCode ?? 1
})
