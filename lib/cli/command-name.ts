/** How this program was started: what a message tells the user to type must work where the user is. */
import { relative } from 'node:path'

/**
 * 'npx kun-stream' under npm and npx, 'node dist/bin/kun-stream.js' when the file was named, else 'kun-stream'.
 *
 * npm sets `npm_command` for its scripts and for npx, and in neither is the program on the path of the user's own shell.
 */
export function called(argv: readonly string[] = process.argv, environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.npm_command !== undefined) return 'npx kun-stream'
  const script = argv[1] ?? ''
  if (!script.endsWith('.js')) return 'kun-stream'
  const near = relative(process.cwd(), script)
  return `node ${quoted(near.startsWith('..') ? script : near)}`
}

/** A word of a command as a shell takes it back: as it is when it is plain, else in single quotes. */
export function quoted(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
