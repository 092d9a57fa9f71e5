/** Allowed values in the language of the process; schemas and references have them in English. */
import { say, translated } from '../language/say.js'

type Words = (...values: string[]) => string

const patterns: readonly (readonly [RegExp, Words])[] = [
  [/^one of (.+)$/, (names) => say`one of ${names}`],
  [/^a whole number from (\S+) to (\S+)$/, (from, to) => say`a whole number from ${from} to ${to}`],
  [/^a whole number from (\S+)$/, (from) => say`a whole number from ${from}`],
  [/^a number from (\S+) to (\S+)$/, (from, to) => say`a number from ${from} to ${to}`],
  [/^a number from (\S+)$/, (from) => say`a number from ${from}`],
  [/^a number over (\S+) to (\S+)$/, (over, to) => say`a number over ${over} to ${to}`],
  [/^a number over (\S+)$/, (over) => say`a number over ${over}`],
  [/^a size such as 64MiB from (\S+) to (\S+)$/, (from, to) => say`a size such as 64MiB from ${from} to ${to}`],
  [/^a size such as 64MiB from (\S+)$/, (from) => say`a size such as 64MiB from ${from}`],
  [
    /^a duration such as 30s or 5min from (\S+) to (\S+)$/,
    (from, to) => say`a duration such as 30s or 5min from ${from} to ${to}`,
  ],
  [/^a duration such as 30s or 5min from (\S+)$/, (from) => say`a duration such as 30s or 5min from ${from}`],
  [/^a list, each (.+)$/, (each) => say`a list, each ${translatedAllowed(each ?? '')}`],
  [/^a string like (.+)$/, (pattern) => say`a string like ${pattern}`],
]

/** Translates a text of `allowedText`; one that no pattern matches stays English. */
export function translatedAllowed(text: string): string {
  const whole = translated(text)
  if (whole !== text) return whole
  const members = text.split(', or ')
  if (members.length > 1) return spaced(members.map(translatedAllowed).reduce((all, each) => say`${all}, or ${each}`))
  for (const [pattern, words] of patterns) {
    const found = pattern.exec(text)
    if (found !== null) return spaced(words(...found.slice(1)))
  }
  return text
}

/** Puts a space between a Chinese conjunction and a Latin word after it. */
function spaced(text: string): string {
  return text.replace(/(?<=[或为])(?=[\w{])/g, ' ')
}
