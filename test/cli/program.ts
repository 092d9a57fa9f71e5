/** The commands under test, as a process of their own: `node program.js dedup …`. */
import { Command } from 'commander'
import { registerDedup } from '../../lib/cli/commands/dedup.js'
import { registerPipe } from '../../lib/cli/commands/pipe.js'
import { registerSample } from '../../lib/cli/commands/sample.js'
import { registerSeed } from '../../lib/cli/commands/seed.js'
import type { KunStreamError } from '../../lib/errors.js'

const program = new Command()
registerDedup(program)
registerPipe(program)
registerSeed(program)
registerSample(program)
program.parseAsync().catch((error: KunStreamError) => {
  process.stderr.write(`${error.name}: ${error.message}`)
  process.exitCode = error.exitCode ?? 1
})
