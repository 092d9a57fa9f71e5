/** Puts the help of commander into the language of the process: descriptions and headings. */
import { type Argument, type Command, Help, type Option } from 'commander'
import { translated } from '../language/say.js'

/**
 * Translates the descriptions of a command, of its subcommands, and of their arguments and options. Descriptions stay English
 * where they are declared, as the keys of the catalogue, so that a file of a command reads in one language.
 */
export function translateHelp(command: Command): void {
  command.description(translated(command.description()))
  for (const part of [...command.options, ...command.registeredArguments])
    part.description = translated(part.description)
  command.helpOption('-h, --help', translated('display help for command'))
  command.configureHelp({
    styleTitle: translated,
    optionDescription: (option) => translatedNotes(Help.prototype.optionDescription.call(help, option)),
    argumentDescription: (argument) => translatedNotes(Help.prototype.argumentDescription.call(help, argument)),
  })
  for (const subcommand of command.commands) translateHelp(subcommand)
}

const help = new Help()
/** The words that commander adds behind a description, in brackets. */
const notes = /(?<=[(,] ?)(?:choices|default):(?= )/g

function translatedNotes(description: string): string {
  return description.replace(notes, (note) => translated(note))
}

/** Every text that `translateHelp` looks up; for the test of the catalogue. */
export function helpTexts(command: Command): string[] {
  const parts: readonly (Option | Argument)[] = [...command.options, ...command.registeredArguments]
  const own = [command.description(), ...parts.map(({ description }) => description)]
  return [...own, ...command.commands.flatMap(helpTexts)].filter((text) => text !== '')
}
