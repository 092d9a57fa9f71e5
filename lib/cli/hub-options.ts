/** Options of the commands that call the Hub: its address, and the name of a token rather than the token. */
import { type Command, Option } from 'commander'
import { say } from '../language/say.js'
import { publishOptions } from '../publish/options.js'
import { helpOf } from './option-help.js'
import { collect } from './recipe-options.js'
import { sayOnStderr } from './terminal/output.js'

export function hubUrlOption(): Option {
  return new Option('--hub-url <url>', helpOf(publishOptions.shape.hubUrl))
}

/** Adds the options of a command that reads a dataset on the Hub in place of files. */
export function addHubSource(command: Command): Command {
  return command
    .option('--hub <owner/name>', 'read a dataset on the Hub in place of files')
    .option('--files <glob>', 'with --hub: paths in the dataset (may be repeated; ! excludes)', collect, [])
    .option('--revision <name>', 'with --hub: branch, tag or commit', 'main')
    .addOption(hubUrlOption())
    .addOption(tokenOption())
}

/** Accepts a literal token, with a warning on stderr that does not contain it. */
export function tokenOption(): Option {
  return new Option(
    '--token <env:NAME|file:PATH>',
    'environment variable or file with the token; by default HF_TOKEN or the token file',
  ).argParser((token: string) => {
    if (!/^(?:env|file):/.test(token)) {
      sayOnStderr(
        say`warning: --token contains the token itself, which stays in the shell history and in the process list:
          use --token env:NAME or --token file:PATH, and replace this token`,
      )
    }
    return token
  })
}
