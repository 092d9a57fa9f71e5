/** `kun-stream verify`: checks a run directory and prints how to repair what is damaged. Exit code 1 if it is damaged. */

import type { Command } from 'commander'
import { KunStreamError } from '../../errors.js'
import { listText } from '../../language/list-text.js'
import { say, translated } from '../../language/say.js'
import { readState } from '../../publish/state.js'
import { verifyDirectory } from '../../run/verify.js'
import type { Finding, Verification } from '../../sinks/index.js'
import { publishStateName } from '../../storage/run-layout.js'
import { addCommand } from '../command-summaries.js'
import { mustBeRunDirectory } from '../run-directory-argument.js'
import { bytesText, countText } from '../terminal/bytes-text.js'
import { pc } from '../terminal/colors.js'
import { writeOut } from '../terminal/output.js'

export function registerVerify(program: Command): void {
  addCommand(program, 'verify')
    .argument('<dir>', 'run directory')
    .option('--json', 'print the findings as JSON')
    .action(async (directory: string, { json = false }: { json?: boolean }) => {
      await mustBeRunDirectory(directory)
      const verification = await verifyDirectory(directory, { checkMore: () => checkPublishing(directory) })
      writeOut(json ? `${JSON.stringify(verification, null, 2)}\n` : `${verificationText(verification)}\n`)
      if (verification.findings.some(({ severity }) => severity === 'error')) process.exitCode = 1
    })
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
  const intact = cuts === 0 ? say`No errors, and nothing is committed yet` : say`The dataset is intact`
  const verdict = errors === 0 ? pc.green(intact) : pc.red(say`${countText(errors, 'error')} found`)
  const there = [countText(cuts, 'cut'), countText(files, 'file'), bytesText(bytes)]
  const counts = [...there, countText(sum(rows), 'row'), countText(sum(rejects), 'reject')]
  lines.push(say`${verdict}: ${listText(counts)}.`)
  return lines.join('\n')
}

/** A noun of `count` has the key 'error'; with a space it is a label. */
function findingText({ severity, file, what, repair }: Finding): string {
  const label =
    severity === 'error' ? pc.red(translated('error ').trimEnd()) : pc.yellow(translated('warning ').trimEnd())
  return say`${label} ${pc.bold(file)}: ${translated(what)}\n  ${pc.dim(say`repair: ${translated(repair)}`)}`
}
