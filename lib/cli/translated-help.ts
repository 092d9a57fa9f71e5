/** Puts the help of commander into the language of the process: descriptions, headings, and lines of the width of a terminal. */
import type { Argument, Command, Option } from 'commander'
import { processLanguage } from '../language/language.js'
import { say, translated } from '../language/say.js'
import { textWidth } from './terminal/text-width.js'
import { wrapText } from './terminal/wrap-text.js'

/**
 * Translates the descriptions of a command, of its subcommands, and of their arguments and options. Descriptions stay English
 * where they are declared, as the keys of the catalogue, so that a file of a command reads in one language.
 */
export function translateHelp(command: Command): void {
  if (processLanguage() === 'en') return
  command.description(translated(command.description()))
  for (const part of [...command.options, ...command.registeredArguments])
    part.description = translated(part.description)
  const ofHelp = translated('display help for command')
  command.helpOption('-h, --help', ofHelp)
  if (command.commands.length > 0) command.helpCommand('help [command]', ofHelp)
  command.configureHelp({
    styleTitle: translated,
    optionDescription: described,
    argumentDescription: described,
    // commander counts characters, of which a Chinese one takes two cells.
    displayWidth: textWidth,
    boxWrap: (text, width) => wrapText(text, width).join('\n'),
  })
  for (const subcommand of command.commands) translateHelp(subcommand)
}

/** A description with its choices and default, as commander's own in English. */
function described(part: Option | Argument): string {
  const choices = part.argChoices?.join('、')
  const value = shownDefault(part)
  if (choices === undefined && value === null) return part.description
  if (value === null) return say`${part.description} (choices: ${choices})`
  if (choices === undefined) return say`${part.description} (default: ${value})`
  return say`${part.description} (choices: ${choices}; default: ${value})`
}

/** Returns the default of an option or argument that has one to show; an empty list is none. */
function shownDefault(part: Option | Argument): string | null {
  const { defaultValue, defaultValueDescription: description } = part
  if (description !== undefined) return translated(description)
  if (defaultValue === undefined || defaultValue === false) return null
  if (Array.isArray(defaultValue) && defaultValue.length === 0) return null
  return typeof defaultValue === 'string' ? defaultValue : JSON.stringify(defaultValue)
}

/** Every text that `translateHelp` looks up; for the test of the catalogue. */
export function helpTexts(command: Command): string[] {
  const parts: readonly (Option | Argument)[] = [...command.options, ...command.registeredArguments]
  const own = [command.description(), ...parts.map(({ description }) => description)]
  return [...own, ...command.commands.flatMap(helpTexts)].filter((text) => text !== '')
}
