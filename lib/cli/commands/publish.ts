/** `kun-stream publish DIR --repo owner/name`: a run becomes a dataset on the Hub. */
import type { Command } from 'commander'
import { AbortedError } from '../../errors.js'
import { sayingWaits } from '../../hub/outage-messages.js'
import type { PublishProgress, PublishResult } from '../../publish/options.js'
import { type PublishOptions, publish } from '../../publish/publish.js'
import { bytesText } from '../terminal/bytes-text.js'
import { writeErr, writeOut } from '../terminal/output.js'
import { onStopSignal, type StopSignal } from '../terminal/stop-signals.js'
import { terminalText } from '../terminal/terminal-text.js'
import { tokenOption } from '../token-option.js'

interface Flags {
  readonly repo: string
  readonly private?: boolean
  readonly branch?: string
  readonly pr?: boolean
  readonly append?: boolean
  readonly replace?: boolean
  readonly sealed?: boolean
  readonly dryRun?: boolean
  readonly license?: string
  readonly message?: string
  readonly hubUrl?: string
  readonly token?: string
  readonly json?: boolean
}

export function registerPublish(program: Command): void {
  program
    .command('publish')
    .description('put the rows of a run on the Hugging Face Hub as a dataset, with a card; again, only what is new')
    .argument('<dir>', 'run directory')
    .requiredOption('--repo <owner/name>', 'dataset on the Hub; made when it does not exist')
    .option('--private', 'make it private, when it is made')
    .option('--branch <name>', 'branch to commit to', 'main')
    .option('--pr', 'open a pull request, or go on in the one that an earlier publish opened')
    .option('--append', 'keep the data of other runs that is there')
    .option('--replace', 'delete the data of other runs that is there')
    .option('--sealed', 'while the run goes on: only files that will not change')
    .option('--dry-run', 'say what would be written; write nothing')
    .option('--license <name>', 'for the card: cc-by-4.0, apache-2.0, other …')
    .option('--message <text>', 'title of the commits')
    .option('--hub-url <url>', 'another Hub than HF_ENDPOINT or huggingface.co')
    .addOption(tokenOption())
    .option('--json', 'the result as JSON')
    .action(async (directory: string, flags: Flags) => {
      const result = await publishRun({ directory, ...optionsOf(flags) })
      writeOut(flags.json ? `${JSON.stringify(result)}\n` : `${result.url}\n`)
      const { filesUploaded, bytesUploaded, files, written, deleted } = result
      const sent = `${filesUploaded} of ${files.length} data files sent, ${bytesText(bytesUploaded)}`
      const changed = `${written.length} paths written, ${deleted.length} deleted`
      writeErr(flags.dryRun ? dryRunText(written, deleted) : `${sent}; ${changed}.\n`)
    })
}

/** Publishes with progress on stderr. A stop signal stops it after the current request, a second one immediately. */
export async function publishRun(options: PublishOptions): Promise<PublishResult> {
  const [ending, stop] = [new AbortController(), new AbortController()]
  const progress = progressLine(process.stderr)
  const release = onStopSignal((signal, nth) => {
    if (nth > 1) return stop.abort(stoppedBy(signal))
    ending.abort(stoppedBy(signal))
    progress.say(`${signal}: stopping after the request under way; once more stops at once`)
  })
  try {
    const connection = sayingWaits(options.connection, progress.say)
    const stops = { ending: ending.signal, signal: stop.signal }
    return await publish({ ...options, connection, ...stops, onProgress: progress.show, onWait: progress.say })
  } finally {
    progress.end()
    release()
  }
}

/** The error of a stopped publish; files already on the Hub are not sent again. */
function stoppedBy(signal: StopSignal): AbortedError {
  return new AbortedError(`Publishing was stopped by ${signal}. Publish again: it resumes from here`)
}

function optionsOf(flags: Flags): Omit<PublishOptions, 'directory'> {
  const { pr, sealed, message, json, ...same } = flags
  return {
    ...same,
    ...(pr === undefined ? {} : { pullRequest: pr }),
    ...(sealed === undefined ? {} : { sealedOnly: sealed }),
    ...(message === undefined ? {} : { title: message }),
  }
}

function dryRunText(written: readonly string[], deleted: readonly string[]): string {
  const lines = [...written.map((path) => `would write  ${path}`), ...deleted.map((path) => `would delete ${path}`)]
  return `${lines.join('\n') || 'nothing would be written'}\n`
}

interface ProgressLine {
  show(progress: PublishProgress): void
  /** Writes a line that stays, in place of the one that is written over. */
  say(message: string): void
  end(): void
}

/** One line that is written over on a terminal; elsewhere a line a phase. */
function progressLine(stream: NodeJS.WriteStream): ProgressLine {
  const live = stream.isTTY === true
  let last = ''
  let shown = false
  const erase = (): void => {
    if (live && shown) stream.write('\r\x1b[2K')
    shown = false
  }
  return {
    show: ({ phase, name, bytesDone, bytesTotal }) => {
      if (!live && phase === last) return
      last = phase
      const text = terminalText(`${phase} ${name}: ${bytesText(bytesDone)} of ${bytesText(bytesTotal)}`)
      stream.write(live ? `\r\x1b[2K${text}` : `${text}\n`)
      shown = true
    },
    say: (message) => {
      erase()
      stream.write(terminalText(`${message}\n`))
    },
    end: erase,
  }
}
