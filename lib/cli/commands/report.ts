/** `kun-stream report DIR`: writes the report of a run, a page that needs neither a server nor a connection. */
import type { Command } from 'commander'
import { addCommand } from '../command-summaries.js'
import { mustBeRunDirectory } from '../run-directory-argument.js'
import { writeOut } from '../terminal/output.js'

export function registerReport(program: Command): void {
  addCommand(program, 'report')
    .argument('<dir>', 'run directory')
    .option('-o, --output <file>', 'where to write it; report.html in the directory by default')
    .action(async (directory: string, { output }: { readonly output?: string }) => {
      await mustBeRunDirectory(directory)
      const { writeReport } = await import('../../pages/report-file.js')
      writeOut(`${await writeReport(directory, output)}\n`)
    })
}
