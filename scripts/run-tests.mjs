// Runs the compiled test files, each in a process of its own, and prints what failed and the totals. tap's own runner
// starts each file with hooks for mocks and coverage, neither of which is used here, and parses all output: twice the
// processor time.
//
//   node scripts/run-tests.mjs [--fast | --slow] [--jobs N] [FILE...]
//
// --fast leaves out the folders of `slowFolders`, --slow all others; FILE is a part of a path under dist/test.
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const fileTimeoutMs = 600_000
/** Of the output of a failed file, the lines that are printed around each failure, and at most in all. */
const failureLines = { before: 2, after: 30, max: 400 }
/** Where tests start commands and whole runs. They take longest and start first, so that the end is not one long file. */
const slowFolders = ['fault', 'flow', 'cli', 'slurm', 'queue', 'bench', 'server-bench', 'publish', 'epochs']

const root = fileURLToPath(new URL('..', import.meta.url))
const { values, positionals } = parseArgs({
  options: { fast: { type: 'boolean' }, slow: { type: 'boolean' }, jobs: { type: 'string' } },
  allowPositionals: true,
})
// One more than there are cores: many tests wait for servers, clocks and other processes.
const jobs = Number(values.jobs ?? availableParallelism() + 1)

const isSlow = (file) => slowFolders.includes(file.split('/')[0])
const rank = (file) => (isSlow(file) ? slowFolders.indexOf(file.split('/')[0]) : slowFolders.length)
const queue = readdirSync(join(root, 'dist/test'), { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.test.js'))
  .filter((file) => (values.fast ? !isSlow(file) : values.slow ? isSlow(file) : true))
  .filter((file) => positionals.length === 0 || positionals.some((part) => `dist/test/${file}`.includes(part)))
  .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
if (queue.length === 0) throw new Error(`no test file matches ${positionals.join(' ')}; run npm run build first`)

const totals = { files: 0, passed: 0, failed: 0, skipped: 0 }
const started = performance.now()
/** Files that run now: an end of this process ends them, too. */
const running = new Set()
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    for (const child of running) child.kill(signal)
    process.exit(130)
  })

async function runFile(file) {
  const start = performance.now()
  const child = spawn(process.execPath, [join('dist/test', file)], {
    cwd: root,
    env: { TAP_TIMEOUT: String(fileTimeoutMs / 1000), ...process.env, TAP: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  const chunks = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk))
  const timer = setTimeout(() => child.kill('SIGKILL'), fileTimeoutMs)
  const end = await new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)))
  clearTimeout(timer)
  running.delete(child)
  report(file, end, Buffer.concat(chunks).toString(), (performance.now() - start) / 1000)
}

/** Adds the totals of a file, of which tap writes one line for each level of tests; the last one is the file's own. */
function report(file, end, output, seconds) {
  const written = [...output.matchAll(/^# \{ (total: .*) \}$/gm)].at(-1)?.[1] ?? ''
  const count = (name) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(written)?.[1] ?? 0)
  // A file that ends before its totals, or with a failure that is none of an assertion, is a failure as well.
  const failed = count('fail') > 0 || end === 0 ? count('fail') : 1
  totals.files++
  totals.passed += count('pass')
  totals.failed += written === '' && failed === 0 ? 1 : failed
  totals.skipped += count('skip')
  const ok = end === 0 && written !== '' && failed === 0
  console.log(`${ok ? 'ok' : 'not ok'} ${file} ${seconds.toFixed(1)} s${ok ? '' : `, ended with ${end}: ${written}`}`)
  if (!ok) printFailures(output.split('\n'))
}

function printFailures(lines) {
  const wanted = new Set()
  for (const [index, line] of lines.entries())
    if (/^ *not ok/.test(line))
      for (let at = index - failureLines.before; at <= index + failureLines.after; at++) wanted.add(at)
  // Without an assertion that failed, the end of the output says why.
  if (wanted.size === 0) for (let at = lines.length - failureLines.after; at < lines.length; at++) wanted.add(at)
  const shown = lines.filter((_, index) => wanted.has(index)).slice(0, failureLines.max)
  console.log(shown.map((line) => `  | ${line}`).join('\n'))
}

await Promise.all(
  Array.from({ length: jobs }, async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) await runFile(file)
  }),
)
const minutes = ((performance.now() - started) / 60_000).toFixed(1)
console.log(`${totals.files} files in ${minutes} min${totals.skipped > 0 ? `, ${totals.skipped} tests skipped` : ''}`)
console.log(`${totals.passed} passed, ${totals.failed} failed`)
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0
