/** `kun-stream ui DIR`: serves the page of a run that is in progress elsewhere, was stopped, or is done. */
import type { Command } from 'commander'
import { say } from '../../language/say.js'
import { addCommand } from '../command-summaries.js'
import { portNumber } from '../option-numbers.js'
import { mustBeRunDirectory } from '../run-directory-argument.js'
import { writeErr, writeOut } from '../terminal/output.js'
import { stopSignal } from '../terminal/stop-signals.js'

export function registerUi(program: Command): void {
  addCommand(program, 'ui')
    .argument('<dir>', 'run directory')
    .option('--port <n>', 'port on this machine; a free one by default', portNumber, 0)
    .action(async (directory: string, { port }: { readonly port: number }) => {
      await mustBeRunDirectory(directory)
      const [{ RunPages }, { LiveDirectory }] = await Promise.all([
        import('../../pages/run-pages.js'),
        import('../../pages/live-directory.js'),
      ])
      const pages = await RunPages.start({ directory, port, portOption: '--port' })
      pages.attach(new LiveDirectory(directory))
      writeOut(`${pages.url}\n`)
      writeErr(`${say`open the address in a browser; Ctrl-C ends`}\n`)
      await stopSignal()
      await pages.close()
    })
}
