/** Options of the commands that call the Hub: its address, and the name of a token rather than the token. */
import { Option } from 'commander'
import { publishOptions } from '../publish/options.js'
import { helpOf } from './option-help.js'
import { sayOnStderr } from './terminal/output.js'

export function hubUrlOption(): Option {
  return new Option('--hub-url <url>', helpOf(publishOptions.shape.hubUrl))
}

/** Accepts a literal token, with a warning on stderr that does not contain it. */
export function tokenOption(): Option {
  return new Option(
    '--token <env:NAME|file:PATH>',
    'environment variable or file with the token; by default HF_TOKEN or the token file',
  ).argParser((token: string) => {
    if (!/^(?:env|file):/.test(token)) {
      sayOnStderr(
        'warning: --token contains the token itself, which stays in the shell history and in the process list: ' +
          'use --token env:NAME or --token file:PATH, and replace this token',
      )
    }
    return token
  })
}
