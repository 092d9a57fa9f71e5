/** `kun-stream inspect`: shows the rows of a run, a folder or a file so that a person can read them. */
import { type Command, InvalidArgumentError } from 'commander'
import { inspectedApart } from '../inspect-thread.js'
import type { InspectOptions } from '../terminal/inspect-text.js'
import { Output, ReaderGone } from '../terminal/output.js'
import { terminalText } from '../terminal/terminal-text.js'

export function registerInspect(program: Command): void {
  program
    .command('inspect')
    .description('show rows of a run directory, a folder or a Parquet file')
    .argument('<path>', 'run directory, folder with Parquet files, or one Parquet file')
    .option('-n, --number <rows>', 'rows of each split', rowsNumber, 3)
    .option('--rejects', 'show what was dropped or failed, and why')
    .option('--full', 'show long texts to their end')
    .option('--json', 'one JSON object a line, for programs')
    .action(async (path: string, options: InspectOptions) => {
      const output = new Output(process.stdout)
      try {
        for await (const text of inspectedApart(path, options))
          await output.write(Buffer.from(terminalText(`${text}\n`)))
      } catch (error) {
        // A pager that was quit needs no more.
        if (!(error instanceof ReaderGone)) throw error
      }
    })
}

function rowsNumber(text: string): number {
  const rows = Number(text)
  if (Number.isSafeInteger(rows) && rows >= 1) return rows
  throw new InvalidArgumentError('a whole number of 1 or more is needed.')
}
