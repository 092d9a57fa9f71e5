/** `kun-stream verify`: checks a run directory and prints how to repair what is damaged. Exit code 1 if it is damaged. */

import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import pc from 'picocolors'
import { KunStreamError, UsageError } from '../../errors.js'
import { readState } from '../../publish/state.js'
import { verifyDirectory } from '../../run/verify.js'
import type { Finding, Verification } from '../../sinks/index.js'
import { manifestName, publishStateName, runRecordName } from '../../storage/run-layout.js'
import { bytesText, countText } from '../terminal/bytes-text.js'
import { writeOut } from '../terminal/output.js'

export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description('check a run directory: every durable file, checksum, row, id and counter')
    .argument('<dir>', 'run directory')
    .option('--json', 'print the findings as JSON')
    .action(async (directory: string, { json = false }: { json?: boolean }) => {
      const found = await stat(directory).catch((error: NodeJS.ErrnoException) => error)
      if (found instanceof Error || !found.isDirectory()) {
        const missing = 'code' in found && found.code === 'ENOENT'
        const what = !(found instanceof Error) ? 'it is a file' : missing ? 'there is no such directory' : found.message
        throw new UsageError(`${directory} cannot be checked: ${what}. Give a run directory, such as out/demo`)
      }
      await mustBeRunDirectory(directory)
      const verification = await verifyDirectory(directory, { checkMore: () => checkPublishing(directory) })
      writeOut(json ? `${JSON.stringify(verification, null, 2)}\n` : `${verificationText(verification)}\n`)
      if (verification.findings.some(({ severity }) => severity === 'error')) process.exitCode = 1
    })
}

/** Files that every run directory has from its start. */
const marks: readonly string[] = [runRecordName, manifestName]
const namesShownMax = 3

async function mustBeRunDirectory(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true })
  if (entries.some((entry) => marks.includes(entry.name))) return
  const below: string[] = []
  for (const entry of entries) {
    if (below.length >= namesShownMax || !entry.isDirectory()) continue
    const path = join(directory, entry.name)
    const names = await readdir(path).catch((): string[] => []) // the names are only a hint: ignore the error
    if (names.includes(runRecordName)) below.push(path)
  }
  const advice = below.length > 0 ? `Did you mean ${below.join(', ')}?` : 'Give a run directory, such as out/demo'
  throw new UsageError(
    `${directory} is not a run directory: it holds neither ${runRecordName} nor ${manifestName}. ${advice}`,
  )
}

async function checkPublishing(directory: string): Promise<Finding[]> {
  try {
    await readState(directory)
    return []
  } catch (error) {
    if (!(error instanceof KunStreamError)) throw error
    const repair = 'delete it; the next publish rebuilds it'
    return [{ severity: 'error', file: publishStateName, what: error.message, repair }]
  }
}

export function verificationText({ findings, cuts, files, bytes, rows, rejects }: Verification): string {
  const lines = findings.map(findingText)
  const sum = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((all, one) => all + one, 0)
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const intact = cuts === 0 ? 'No errors, and nothing is committed yet' : 'The dataset is intact'
  const verdict = errors === 0 ? pc.green(intact) : pc.red(`${countText(errors, 'error')} found`)
  const there = [countText(cuts, 'cut'), countText(files, 'file'), bytesText(bytes)]
  lines.push(`${verdict}: ${[...there, countText(sum(rows), 'row'), countText(sum(rejects), 'reject')].join(', ')}.`)
  return lines.join('\n')
}

function findingText({ severity, file, what, repair }: Finding): string {
  const label = severity === 'error' ? pc.red('error') : pc.yellow('warning')
  return `${label} ${pc.bold(file)}: ${what}\n  ${pc.dim(`repair: ${repair}`)}`
}
