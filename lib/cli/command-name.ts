/** The command that started this program, for messages that suggest a command to the user. */
import { relative } from 'node:path'

/**
 * Returns 'npx kun-stream' under npm and npx, 'node dist/bin/kun-stream.js' if the file was named, else 'kun-stream'.
 *
 * npm sets `npm_command` for its scripts and for npx; in both the program is not on the PATH of the user's shell.
 */
export function commandName(
  argv: readonly string[] = process.argv,
  environment: NodeJS.ProcessEnv = process.env,
): string {
  if (environment.npm_command !== undefined) return 'npx kun-stream'
  const script = argv[1] ?? ''
  if (!/\.m?js$/.test(script)) return 'kun-stream'
  const near = relative(process.cwd(), script)
  return `node ${shellWord(near.startsWith('..') ? script : near)}`
}

/** Quotes a word of a command for a shell if it needs quotes. */
export function shellWord(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
