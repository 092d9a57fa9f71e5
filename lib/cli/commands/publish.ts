/** `kun-stream publish DIR --repo owner/name`: publishes a run as a dataset on the Hub. */

import { type Command, Option } from 'commander'
import { say } from '../../language/say.js'
import { publishOptions } from '../../publish/options.js'
import type { PublishOptions } from '../../publish/publish.js'
import { addCommand } from '../command-summaries.js'
import { hubUrlOption, tokenOption } from '../hub-options.js'
import { addLogOptions, type LogFlags, withLog } from '../log-file.js'
import { helpOf } from '../option-help.js'
import { publishWithProgress } from '../publish-with-progress.js'
import { bytesText } from '../terminal/bytes-text.js'
import { writeErr, writeOut } from '../terminal/output.js'

type SameName = 'repo' | 'private' | 'branch' | 'append' | 'replace' | 'dryRun' | 'license' | 'hubUrl' | 'token'

/** Flags named as the option of `publish` that they set, and three with shorter names. */
interface Flags extends Pick<PublishOptions, SameName>, LogFlags {
  readonly pr?: boolean
  readonly sealed?: boolean
  readonly message?: string
  readonly json?: boolean
}

export function registerPublish(program: Command): void {
  const options = publishOptions.shape
  const command = addCommand(program, 'publish')
    .argument('<dir>', 'run directory')
    .requiredOption('--repo <owner/name>', helpOf(options.repo))
    .option('--private', helpOf(options.private))
    .addOption(new Option('--branch <name>', helpOf(options.branch)).default(options.branch.parse(undefined)))
    .option('--pr', helpOf(options.pullRequest))
    .option('--append', helpOf(options.append))
    .option('--replace', helpOf(options.replace))
    .option('--sealed', helpOf(options.sealedOnly))
    .option('--dry-run', helpOf(options.dryRun))
    .option('--license <name>', helpOf(options.license))
    .option('--message <text>', helpOf(options.title))
    .addOption(hubUrlOption())
    .addOption(tokenOption())
    .option('--json', 'print the result as JSON')
  addLogOptions(command).action(async (directory: string, flags: Flags) => {
    await withLog('publish', flags, async (log) => {
      const result = await publishWithProgress({ directory, ...optionsOf(flags) }, log)
      writeOut(flags.json ? `${JSON.stringify(result)}\n` : `${result.url}\n`)
      const { filesUploaded, bytesUploaded, files, written, deleted } = result
      const sent = say`${filesUploaded} of ${files.length} data files uploaded, ${bytesText(bytesUploaded)}; ${written.length} paths written, ${deleted.length} deleted.\n`
      writeErr(flags.dryRun ? dryRunText(written, deleted) : sent)
      if (!flags.dryRun && written.length + deleted.length === 0) {
        writeErr(say`Nothing was sent: the dataset on the Hub has everything already.\n`)
      }
    })
  })
}

function optionsOf(flags: Flags): Omit<PublishOptions, 'directory'> {
  const { pr, sealed, message, json, log, logLevel, ...same } = flags
  return {
    ...same,
    ...(pr !== undefined && { pullRequest: pr }),
    ...(sealed !== undefined && { sealedOnly: sealed }),
    ...(message !== undefined && { title: message }),
  }
}

function dryRunText(written: readonly string[], deleted: readonly string[]): string {
  const lines = [
    ...written.map((path) => say`would write  ${path}`),
    ...deleted.map((path) => say`would delete ${path}`),
  ]
  return `${lines.join('\n') || say`nothing would be written`}\n`
}
