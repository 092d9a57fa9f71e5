/** The command line in the process of the test: for tests of many short commands, each of which would load everything anew. */
import type { Test } from 'tap'
import { main } from '../../lib/cli/main.js'

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs one command; calls must not overlap, as standard output and error are captured. */
export async function mainInProcess(t: Test, args: readonly string[]): Promise<Ended> {
  // Every call adds listeners for closed output, which a process has once otherwise.
  for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0)
  const [out, err] = [t.capture(process.stdout, 'write'), t.capture(process.stderr, 'write')]
  const textOf = (captured: typeof out): string =>
    captured()
      .map(({ args: [text] }) => String(text))
      .join('')
  try {
    const code = await main(['node', 'kun-stream', ...args])
    return { code, stdout: textOf(out), stderr: textOf(err) }
  } finally {
    out.restore()
    err.restore()
    process.exitCode = undefined
  }
}
