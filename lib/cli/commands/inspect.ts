/** `kun-stream inspect`: shows rows of a run, a folder or a file. */
import type { Command } from 'commander'
import { inspectInThread } from '../inspect-thread.js'
import { wholeNumber } from '../option-numbers.js'
import type { InspectOptions } from '../terminal/inspect-text.js'
import { Output, ReaderGone } from '../terminal/output.js'
import { terminalText } from '../terminal/terminal-text.js'

export function registerInspect(program: Command): void {
  program
    .command('inspect')
    .description('show rows of a run directory, a folder or a Parquet file')
    .argument('<path>', 'run directory, folder with Parquet files, or one Parquet file')
    .option('-n, --number <rows>', 'rows per split', wholeNumber(1), 3)
    .option('--rejects', 'show rejects and their reasons, in place of rows')
    .option('--full', 'do not truncate long texts')
    .option('--json', 'print one JSON object per line')
    .action(async (path: string, options: InspectOptions) => {
      const output = new Output(process.stdout)
      try {
        for await (const text of inspectInThread(path, options))
          await output.write(Buffer.from(terminalText(`${text}\n`)))
      } catch (error) {
        // The pager was closed.
        if (!(error instanceof ReaderGone)) throw error
      }
    })
}
