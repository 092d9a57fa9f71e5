/** Start of the command: its language and its stop signals before the rest is loaded, which takes a moment. */
import { languageOf, languageVariable } from '../language/language.js'
import { endAtStopSignal } from './terminal/stop-signals.js'

/** Runs the command that the arguments name. Never throws. @returns the exit code */
export async function start(argv: readonly string[]): Promise<number> {
  // Threads inherit it.
  process.env[languageVariable] = languageOf(argv.slice(2), process.env)
  endAtStopSignal(argv[2])
  const { main } = await import('./main.js')
  return main(argv)
}
