/** `kun-stream review DIR`: a page where a person judges a sample of pairs, and what that says of the score. */
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { count } from '../../language/count.js'
import { say } from '../../language/say.js'
import type { ReviewSummary } from '../../pages/view.js'
import { addCommand } from '../command-summaries.js'
import { portNumber, wholeNumber } from '../option-numbers.js'
import { mustBeRunDirectory } from '../run-directory-argument.js'
import { writeErr, writeOut } from '../terminal/output.js'
import { stopSignal } from '../terminal/stop-signals.js'

interface ReviewFlags {
  readonly sample: number
  readonly seed: number
  readonly as?: string
  readonly port: number
  readonly summary?: true
  readonly json?: true
}

export function registerReview(program: Command): void {
  addCommand(program, 'review')
    .argument('<dir>', 'run directory')
    .option('--sample <n>', 'pairs to judge, as many of each tenth of the scores', wholeNumber(1), 100)
    .option('--seed <n>', 'which pairs; the same ones for the same rows', wholeNumber(0), 1)
    .option('--as <name>', 'name of the reviewer, and of reviews/NAME.jsonl; the login name by default')
    .option('--port <n>', 'port on this machine; a free one by default', portNumber, 0)
    .option('--summary', 'print what the saved reviews say, and serve no page')
    .option('--json', 'with --summary: as JSON')
    .action(async (directory: string, flags: ReviewFlags) => {
      await mustBeRunDirectory(directory)
      const { ReviewPages, readSavedSummary } = await import('../../pages/review-pages.js')
      const reviewer = flags.as ?? loginName()
      if (flags.summary === true || flags.json === true) {
        const summary = await readSavedSummary(directory, reviewer)
        writeOut(flags.json === true ? `${JSON.stringify(summary)}\n` : lines(summary))
        return
      }
      const { sample, seed, port } = flags
      const pages = await ReviewPages.start({ directory, reviewer, count: sample, seed, port })
      writeOut(`${pages.url}\n`)
      writeErr(`${say`open the address in a browser; Ctrl-C ends`}\n`)
      await stopSignal()
      await pages.close()
      writeErr(lines(await pages.summary()))
    })
}

function loginName(): string {
  try {
    return userInfo().username
  } catch {
    return 'reviewer' // an account without a name, as in a container
  }
}

function lines({ reviewer, score, agreements, faults }: ReviewSummary): string {
  const { good, bad, edit, scored, auc, threshold } = score
  const all = [...faults, say`${reviewer}: ${good} good, ${bad} bad, ${edit} edited`]
  if (threshold === null || auc === null) all.push(say`a threshold needs good and bad pairs that have a score`)
  else {
    const { keepAtLeast, balancedAccuracy, goodKept, badDropped } = threshold
    all.push(say`a good pair has a higher score than a bad one in ${percent(auc)} of the cases`)
    all.push(
      say`suggested keepAtLeast: ${keepAtLeast}; it keeps ${goodKept} good and drops ${badDropped} bad of ${count(scored, 'pair')}, balanced accuracy ${percent(balancedAccuracy)}`,
    )
  }
  for (const { first, second, rows, same, kappa } of agreements) {
    if (rows === 0) all.push(say`${first} and ${second} have no pair in common`)
    else if (kappa === null) all.push(say`${first} and ${second}: ${same} of ${rows} the same; kappa is undefined`)
    else all.push(say`${first} and ${second}: ${same} of ${rows} the same, kappa ${kappa.toFixed(2)}`)
  }
  return `${all.join('\n')}\n`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`
}
