/** Errors of commander in the language of the process. They are recognized by their English text, which stays as it is. */
import { processLanguage } from '../language/language.js'
import { say } from '../language/say.js'

type Words = (...values: string[]) => string

const patterns: readonly (readonly [RegExp, Words])[] = [
  [/^error: missing required argument '(.*)'$/, (name) => say`error: missing required argument '${name}'`],
  [/^error: option '(.*)' argument missing$/, (flags) => say`error: option '${flags}' argument missing`],
  [/^error: required option '(.*)' not specified$/, (flags) => say`error: required option '${flags}' not specified`],
  [/^error: unknown option '(.*)'$/, (flag) => say`error: unknown option '${flag}'`],
  [/^error: unknown command '(.*)'$/, (name) => say`error: unknown command '${name}'`],
  [
    /^error: too many arguments(?: for '.*')?\. Expected (\d+) arguments? but got (\d+)\.$/,
    (expected, found) => say`error: too many arguments: expected ${expected}, got ${found}`,
  ],
  [
    /^error: option '(.*)' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/,
    (flags, value, choices) =>
      say`error: option '${flags}' argument '${value}' is invalid; allowed choices are ${choices}`,
  ],
  [
    /^error: option '(.*)' argument '(.*)' is invalid\. (.*)$/,
    (flags, value, why) => say`error: option '${flags}' argument '${value}' is invalid: ${why}`,
  ],
  [
    /^error: command-argument value '(.*)' is invalid for argument '(.*)'\. Allowed choices are (.*)\.$/,
    (value, name, choices) =>
      say`error: value '${value}' is invalid for argument '${name}'; allowed choices are ${choices}`,
  ],
  [/^\(Did you mean one of (.*)\?\)$/, (names) => say`(Did you mean one of ${names}?)`],
  [/^\(Did you mean (.*)\?\)$/, (name) => say`(Did you mean ${name}?)`],
]

/** Translates each line that is known; in English the text stays byte for byte what commander writes. */
export function commanderMessage(text: string): string {
  if (processLanguage() === 'en') return text
  return text.split('\n').map(translatedLine).join('\n')
}

function translatedLine(line: string): string {
  for (const [pattern, words] of patterns) {
    const found = pattern.exec(line)
    if (found !== null) return words(...found.slice(1))
  }
  return line
}
