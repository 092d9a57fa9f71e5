/**
 * Errors of the argument parser in the language of the process. commander's code says which error it is; of its English text
 * only the values in quotes are used.
 */

import { Command, type ErrorOptions } from 'commander'
import { processLanguage } from '../language/language.js'
import { listText } from '../language/list-text.js'
import { say } from '../language/say.js'

/** A command, and its subcommands, that report wrong use in the language of the process. */
export class TranslatedCommand extends Command {
  override createCommand(name?: string): Command {
    return new TranslatedCommand(name)
  }

  override error(message: string, options?: ErrorOptions): never {
    const translated = processLanguage() === 'en' ? null : parseError(this, message, options?.code)
    return super.error(translated ?? message, options)
  }
}

/** Returns the text of an error; null for a code that is not known, whose text stays. */
function parseError(command: Command, message: string, code: string | undefined): string | null {
  const [text = '', hint] = message.split(/\n(?=\([^\n]*\)$)/)
  const [, value = ''] = /'(.*)'/s.exec(text) ?? []
  const suggestion = hint === undefined ? '' : `\n${suggested(hint)}`
  switch (code?.replace('commander.', '')) {
    case 'missingArgument':
      return say`error: missing required argument '${value}'`
    case 'optionMissingArgument':
      return say`error: option '${value}' argument missing`
    case 'missingMandatoryOptionValue':
      return say`error: required option '${value}' not specified`
    case 'unknownOption':
      return say`error: unknown option '${value}'` + suggestion
    case 'unknownCommand':
      return say`error: unknown command '${value}'` + suggestion
    case 'excessArguments': {
      const [expected = '', found = ''] = (text.match(/\d+/g) ?? []).slice(-2)
      return say`error: too many arguments: expected ${expected}, got ${found}`
    }
    case 'conflictingOption': {
      const [one = '', other = ''] = [...text.matchAll(/'(.*?)'/g)].map(([, name = '']) => name)
      return say`error: option '${one}' cannot be used with option '${other}'`
    }
    case 'invalidArgument':
      return invalidArgument(command, text)
    default:
      return null
  }
}

/** Names what the user may have meant, from a line such as '(Did you mean one of a, b?)'. */
function suggested(hint: string): string {
  const names = [...hint.matchAll(/([^\s(),?]+)(?=[,?])/g)].map(([, name = '']) => name)
  return names.length === 1 ? say`(Did you mean ${names[0]}?)` : say`(Did you mean one of ${listText(names)}?)`
}

/** The option or argument whose flags or name the text quotes, its value, and why it is refused: words of kun-stream. */
function invalidArgument(command: Command, text: string): string | null {
  const option = command.options.find(({ flags }) => text.includes(`'${flags}'`))
  const argument = command.registeredArguments.find((each) => text.includes(`'${each.name()}'`))
  const name = option?.flags ?? argument?.name()
  if (name === undefined) return null
  const rest = text.replace(`'${name}'`, '')
  const choices = (option ?? argument)?.argChoices
  if (choices !== undefined) {
    const [, value = ''] = /'(.*)'/s.exec(rest) ?? []
    return option === undefined
      ? say`error: value '${value}' is invalid for argument '${name}'; allowed choices are ${listText(choices)}`
      : say`error: option '${name}' argument '${value}' is invalid; allowed choices are ${listText(choices)}`
  }
  const [, value = '', why = ''] = /'(.*?)'[^']*?\. (.*)$/s.exec(rest) ?? []
  return option === undefined
    ? say`error: value '${value}' is invalid for argument '${name}': ${why}`
    : say`error: option '${name}' argument '${value}' is invalid: ${why}`
}
