/**
 * Runs a folder of small failing inputs, one folder a case with a `cmd` in it, and compares each output with
 * expected.ts: `npm run cases -- FOLDER [NAME…]`. Every case has a bound; the exit code is 1 if any differs.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expectedByCase, hiddenEverywhere } from './expected.js'

/** Time for one case, its server and its process group included. */
const caseMsMax = 200_000

const program = fileURLToPath(new URL('../../bin/kun-stream.js', import.meta.url))

async function main([folder, ...names]: readonly string[]): Promise<number> {
  if (folder === undefined) {
    process.stderr.write('usage: npm run cases -- FOLDER [NAME…]\n')
    return 2
  }
  const all = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const chosen = all.map(({ name }) => name).filter((name) => names.length === 0 || names.includes(name))
  const temporary = mkdtempSync(join(tmpdir(), 'kun-cases-'))
  let failed = 0
  try {
    const finished = await finishedRun(folder, temporary)
    for (const name of chosen.sort()) {
      const output = await run('bash', [join(resolve(folder), name, 'cmd'), finished], temporary)
      const wrong = differences(name, output)
      failed += wrong.length > 0 ? 1 : 0
      const means = expectedByCase[name]?.means ?? ''
      process.stdout.write(`${wrong.length === 0 ? 'ok    ' : 'NOT OK'} ${name}: ${means}\n`)
      for (const each of wrong) process.stdout.write(`       ${each}\n`)
      if (wrong.length > 0) process.stdout.write(`${output.replace(/^/gm, '       | ')}\n`)
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
  process.stdout.write(`${chosen.length - failed} passed, ${failed} failed\n`)
  return failed === 0 ? 0 : 1
}

function differences(name: string, output: string): string[] {
  const expected = expectedByCase[name]
  if (expected === undefined) return ['no expectation is written for it']
  return [
    ...expected.shows.filter((pattern) => !pattern.test(output)).map((pattern) => `does not show ${pattern}`),
    ...[...(expected.hides ?? []), ...hiddenEverywhere]
      .filter((pattern) => pattern.test(output))
      .map((pattern) => `shows ${pattern}`),
  ]
}

/** Some cases publish a finished run: its directory. */
async function finishedRun(folder: string, temporary: string): Promise<string> {
  const directory = join(temporary, 'finished')
  const files = `sources[0].files=${join(resolve(folder), 'docs24.jsonl')}`
  const recipe = join(resolve(folder), 'lab.yaml')
  const output = await run(process.execPath, [program, 'run', recipe, '--out', directory, '--set', files], temporary)
  if (!/done/.test(output)) throw new Error(`the run that other cases publish did not finish:\n${output}`)
  return directory
}

/** Both streams, in the order they came. The whole process group is ended past the bound. */
function run(command: string, words: readonly string[], temporary: string): Promise<string> {
  return new Promise((done, failed) => {
    const env = {
      ...process.env,
      KUN: `${process.execPath} ${program}`,
      PY: process.env.PY ?? 'true',
      TMPDIR: temporary,
    }
    const child = spawn(command, words, { detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const pieces: Buffer[] = []
    const timer = setTimeout(() => {
      pieces.push(Buffer.from(`\n[ended after ${caseMsMax} ms]\n`))
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }, caseMsMax)
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
    child.stderr.on('data', (piece: Buffer) => pieces.push(piece))
    child.on('error', failed)
    child.on('close', () => {
      clearTimeout(timer)
      done(Buffer.concat(pieces).toString())
    })
  })
}

process.exitCode = await main(process.argv.slice(2))
