/** `--token` of commands that call the Hub: the name of a token rather than the token. */
import { Option } from 'commander'
import { sayOnStderr } from './terminal/output.js'

/** Accepts a literal token, with a warning on stderr that does not contain it. */
export function tokenOption(): Option {
  return new Option(
    '--token <env:NAME|file:PATH>',
    'variable of the environment or file with the token; by default HF_TOKEN or the token file',
  ).argParser((token: string) => {
    if (!/^(?:env|file):/.test(token)) {
      sayOnStderr(
        'warning: --token holds the token itself, which stays in the history of the shell and in the list of processes: ' +
          'use --token env:NAME or --token file:PATH, and replace this token',
      )
    }
    return token
  })
}
