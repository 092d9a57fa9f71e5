/** `kun-stream inspect`: shows rows of a run, a folder or a file. */
import type { Command } from 'commander'
import { readUncommitted } from '../../run/latest-file.js'
import type { LatestSnapshot } from '../../run/latest-records.js'
import { addCommand } from '../command-summaries.js'
import { inspectInThread } from '../inspect-thread.js'
import { wholeNumber } from '../option-numbers.js'
import type { InspectOptions } from '../terminal/inspect-text.js'
import { latestText, uncommittedLine } from '../terminal/latest-text.js'
import { Output, ReaderGone } from '../terminal/output.js'
import { terminalText } from '../terminal/terminal-text.js'

export function registerInspect(program: Command): void {
  addCommand(program, 'inspect')
    .argument('<path>', 'run directory, folder with Parquet files, or one Parquet file')
    .option('-n, --number <rows>', 'rows per split', wholeNumber(1), 3)
    .option('--rejects', 'show rejects and their reasons, in place of rows')
    .option('--full', 'do not truncate long texts')
    .option('--json', 'print one JSON object per line')
    .action(async (path: string, options: InspectOptions) => {
      const output = new Output(process.stdout)
      const print = (text: string) => output.write(Buffer.from(terminalText(`${text}\n`)))
      // JSON has rows of the dataset only; `tail --json` has both.
      const uncommitted = options.json ? null : await readUncommitted(path)
      try {
        for await (const text of inspectInThread(path, { ...options, mayBeEmpty: uncommitted !== null })) {
          await print(text)
        }
        for (const text of uncommittedTexts(uncommitted, options)) await print(text)
      } catch (error) {
        // The pager was closed.
        if (!(error instanceof ReaderGone)) throw error
      }
    })
}

/** What a run in progress has finished and not committed. */
function uncommittedTexts(found: LatestSnapshot | null, { rejects, number, full = false }: InspectOptions): string[] {
  if (found === null) return []
  const columns = Math.min(process.stdout.columns ?? 80, 120)
  const shown = (rejects ? found.latestRejects : found.latestPairs).slice(-number)
  const summary = rejects ? [] : [uncommittedLine(shown.length, found.pairs)]
  return [...shown.map((record) => latestText(record, columns, full)), ...summary]
}
