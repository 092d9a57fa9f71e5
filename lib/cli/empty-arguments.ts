/** Refuses arguments, and options that name a file, that are empty: most often a variable of the shell that is not set. */
import type { Command } from 'commander'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'

/** Placeholders of options whose value is a place. */
const placePattern = /<(?:file|dir|folder|where|path)>/

/** @throws {UsageError} an argument is empty */
export function refuseEmptyArguments(command: Command): void {
  for (const [index, argument] of command.registeredArguments.entries()) {
    if ([command.processedArgs[index]].flat().includes('')) throw empty(argument.name())
  }
  for (const option of command.options) {
    if (!placePattern.test(option.flags)) continue
    const name = option.attributeName()
    if (command.getOptionValueSource(name) !== 'cli') continue
    if ([command.getOptionValue(name)].flat().includes('')) throw empty(option.long ?? option.flags)
  }
}

function empty(name: string): UsageError {
  return new UsageError(say`${name} is empty: give a value; a variable of the shell may not be set`)
}
