/** The command line as processes: what they said, how they ended, and a signal when they have come so far. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { projectRoot } from './root.js'

export interface Command {
  readonly child: ChildProcess
  /** Resolves when stderr or stdout holds it; rejects when the process ends before. */
  said(words: string): Promise<void>
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; out: string; err: string }>
}

/**
 * @param program below dist/: 'bin/kun-stream.js'
 * @param variables of the environment, besides those of this process
 * @param input standard input: none, or a pipe that stays open
 */
export function command(
  program: string,
  args: readonly string[],
  variables: Record<string, string> = {},
  input: 'ignore' | 'pipe' = 'ignore',
): Command {
  const child = spawn(process.execPath, [join(projectRoot, 'dist', program), ...args], {
    env: { ...process.env, ...variables },
    stdio: [input, 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  let heard = (): void => {}
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
    heard()
  })
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk
    heard()
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, out, err }))
  return {
    child,
    ended,
    said: (words) =>
      new Promise((resolve, reject) => {
        heard = () => {
          if (out.includes(words) || err.includes(words)) resolve()
        }
        heard()
        ended.then(() => reject(new Error(`it ended and never said '${words}': ${err}`)), reject)
      }),
  }
}
