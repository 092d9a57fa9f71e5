/** `kun-stream verify`: says whether a run directory is whole, and what would repair what is not. Exit code 1 if not. */
import { stat } from 'node:fs/promises'
import type { Command } from 'commander'
import pc from 'picocolors'
import { ownValue } from '../core/dictionary.js'
import { UsageError } from '../errors.js'
import { type Counters, checkAccounting, total } from '../kun/counters.js'
import { type Finding, type ManifestEntry, type Verification, verifyRun } from '../sinks/index.js'
import { bytesText, counted } from './bytes-text.js'

export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description('check a run directory: every file, checksum, row, id and counter')
    .argument('<dir>', 'run directory')
    .option('--json', 'the findings as JSON, for programs')
    .action(async (directory: string, { json = false }: { json?: boolean }) => {
      const found = await stat(directory).catch((error: NodeJS.ErrnoException) => error)
      if (found instanceof Error || !found.isDirectory()) {
        const missing = 'code' in found && found.code === 'ENOENT'
        const what = !(found instanceof Error) ? 'it is a file' : missing ? 'there is no such directory' : found.message
        throw new UsageError(`${directory} cannot be checked: ${what}. Give a run directory, such as out/demo`)
      }
      const verification = await verifyRun(directory, { checkCounters })
      process.stdout.write(json ? `${JSON.stringify(verification, null, 2)}\n` : `${verificationText(verification)}\n`)
      if (verification.findings.some(({ severity }) => severity === 'error')) process.exitCode = 1
    })
}

export function verificationText({ findings, cuts, files, bytes, rows, rejects }: Verification): string {
  const lines = findings.map(findingText)
  const sum = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((all, one) => all + one, 0)
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const whole = cuts === 0 ? 'Nothing is wrong, and nothing is committed yet' : 'The dataset is whole'
  const verdict = errors === 0 ? pc.green(whole) : pc.red(`${counted(errors, 'error')} found`)
  const there = [counted(cuts, 'cut'), counted(files, 'file'), bytesText(bytes)]
  lines.push(`${verdict}: ${[...there, counted(sum(rows), 'row'), counted(sum(rejects), 'reject')].join(', ')}.`)
  return lines.join('\n')
}

function findingText({ severity, file, what, repair }: Finding): string {
  const label = severity === 'error' ? pc.red('error') : pc.yellow('warning')
  return `${label} ${pc.bold(file)}: ${what}\n  ${pc.dim(`to repair: ${repair}`)}`
}

/** The three equations of each split, and the counters against the rows and rejects that are there. */
export function checkCounters(
  { counters }: Pick<ManifestEntry, 'counters'>,
  { rows, rejects }: Pick<Verification, 'rows' | 'rejects'>,
): string[] {
  const splits = counters as Counters
  const faults = checkAccounting(splits).map(
    ({ split, equation, left, right }) => `${split}: ${equation}: ${left} is not ${right}`,
  )
  for (const split of new Set([...Object.keys(splits), ...Object.keys(rows), ...Object.keys(rejects)])) {
    const own = ownValue(splits, split)
    const dropped = own ? total(own.documentRejects) + total(own.chunkRejects) + total(own.attemptRejects) : 0
    const compare = (what: string, found: number, counted: number): void => {
      if (found !== counted) faults.push(`${split}: ${found} ${what} are there, ${counted} were counted`)
    }
    compare('rows', ownValue(rows, split) ?? 0, own?.rows ?? 0)
    compare('rejects', ownValue(rejects, split) ?? 0, dropped)
  }
  return faults
}
