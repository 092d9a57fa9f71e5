import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { withLog } from '../../lib/cli/log-file.js'
import type { EventLog } from '../../lib/core/event-log.js'
import { processSecrets } from '../../lib/core/redaction.js'
import { UsageError } from '../../lib/errors.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { projectRoot } from '../support/root.js'
import { tinyRecipe } from '../support/session.js'

interface Entry extends Readonly<Record<string, unknown>> {
  readonly level: string
  readonly event: string
}

function entriesOf(path: string): Entry[] {
  const text = readFileSync(path, 'utf8')
  t.ok(text.endsWith('\n'), 'the last line is complete')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Entry)
}

async function command(args: readonly string[]): Promise<{ code: number; stderr: string }> {
  const child = spawn(process.execPath, [join(projectRoot, 'dist/bin/kun-stream.js'), ...args], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (bytes) => (stderr += bytes))
  const [code] = (await once(child, 'close')) as [number]
  return { code, stderr }
}

t.test('the log of a run has its servers, cuts, mirror and exit code', { timeout: 120_000 }, async (t) => {
  const server = await startSimulator({
    faults: [
      { kind: 'rate-limited', after: 50, until: 53, retryAfterSeconds: 0.1 },
      { kind: 'engine-death', after: 90, until: 91, refuseAfter: 1, reviveAfterMs: 5000 },
    ],
  })
  t.teardown(() => server.close())
  const root = t.testdir()
  const [recipe, directory, log] = [join(root, 'recipe.yaml'), join(root, 'run'), join(root, 'run.log')]
  writeFileSync(recipe, tinyRecipe(server.url, true))
  const run = ['run', recipe, '--out', directory, '--set', `mirror.to=${join(root, 'mirror')}`]
  t.match(await command([...run, '--log', log]), { code: 0 })

  const entries = entriesOf(log)
  const of = (event: string): Entry[] => entries.filter((entry) => entry.event === event)
  t.match(entries[0], { event: 'command-started', command: 'run', level: 'info', time: /^20..-..-..T/ })
  t.match(of('run-opened'), [{ name: 'tiny', directory, blocksDone: 0, capabilities: { writer: { metrics: true } } }])
  const label = server.url.replace(/\/+$/, '')
  for (const event of ['endpoint-paced', 'endpoint-down', 'endpoint-up']) {
    t.match(of(event)[0], { endpoint: label }, `${event} names the endpoint`)
  }
  const cuts = await readManifest(directory)
  t.strictSame(
    of('cut-committed').map(({ cut, blocks }) => ({ cut, blocks })),
    cuts.map(({ cut, blocks }) => ({ cut, blocks })),
  )
  t.match(of('mirror-copied').at(-1), { cuts: cuts.length })
  t.match(of('run-ended'), [{ code: 0, reason: 'done', level: 'info' }])
  t.match(entries.at(-1), { event: 'command-ended', exitCode: 0 })

  // The same file again: entries are appended, and a level drops what is below it.
  t.match(await command([...run, '--set', 'kun.score.keepAtLeast=0.9', '--log', log, '--log-level', 'error']), {
    code: 2,
  })
  const more = entriesOf(log).slice(entries.length)
  t.match(more, [{ event: 'command-failed', code: 'KUN_RUN_MISMATCH', level: 'error' }])
  t.equal(more.length, 1)
})

t.test('a command that fails leaves its failure and exit code in the log', async (t) => {
  const root = t.testdir({ 'recipe.yaml': 'name: a\nsuorces: []\n' })
  const log = join(root, 'run.log')
  t.match(await command(['run', join(root, 'recipe.yaml'), '--log', log]), { code: 2 })
  t.match(entriesOf(log), [
    { event: 'command-started', command: 'run' },
    { event: 'command-failed', code: 'KUN_RECIPE', message: /suorces/ },
    { event: 'command-ended', exitCode: 2 },
  ])
  t.match(await command(['publish', join(root, 'none'), '--repo', 'me/x', '--log', log]), { code: 2 })
  t.match(entriesOf(log).at(-1), { event: 'command-ended', command: 'publish', exitCode: 2 })
})

t.test('pipe and dedup have a log, whose counts are those of their result', async (t) => {
  const [first, second] = [
    '今天的天气很好，我们一起去公园散步，看见许多人在放风筝。',
    '昨天下了一整天的雨，河水涨了不少。',
  ]
  const root = t.testdir({
    'in.jsonl': [first, first, second].map((text) => `${JSON.stringify({ text })}\n`).join(''),
  })
  const [input, log] = [join(root, 'in.jsonl'), join(root, 'made.log')]
  t.match(await command(['dedup', input, '--log', log]), { code: 0 })
  t.match(entriesOf(log), [
    { event: 'command-started', command: 'dedup' },
    { event: 'dedup-opened', index: null },
    { event: 'dedup-ended', records: 3, kept: 2, exact: 1, near: 0 },
    { event: 'command-ended', exitCode: 0 },
  ])
  const piped = await command(['pipe', input, '--stages', 'clean,dedup', '--json', '--log', log, '--log-level', 'info'])
  const { rows, duplicates } = JSON.parse(piped.stderr.trimEnd().split('\n').at(-1) ?? '') as Record<string, number>
  t.match(entriesOf(log).slice(4), [
    { event: 'command-started', command: 'pipe' },
    { event: 'pipe-opened', to: 'jsonl' },
    { event: 'pipe-ended', documents: 3, kept: rows, duplicates },
    { event: 'command-ended', exitCode: 0 },
  ])
  const refused = await command(['pipe', input, '--stages', 'nothing', '--log', log, '--log-level', 'error'])
  t.equal(refused.code, 2)
  t.match(entriesOf(log).at(-1), { event: 'command-failed', command: 'pipe', code: 'KUN_USAGE' })
})

t.test('a log that cannot be opened, and a level without a log, are usage errors', async (t) => {
  const work = async (): Promise<void> => {
    t.fail('the command does not start')
  }
  const path = join(t.testdir(), 'none', 'run.log')
  await t.rejects(withLog('run', { log: path }, work), { code: 'KUN_USAGE', message: /could not open .*none/ })
  await t.rejects(withLog('run', { logLevel: 'debug' }, work), { code: 'KUN_USAGE', message: /requires --log/ })
  t.equal(existsSync(path), false)
})

t.test('a secret is not in the log, whatever field it is in', async (t) => {
  const log = join(t.testdir(), 'run.log')
  processSecrets.add('hunter2-"quoted"-secret')
  await t.rejects(
    withLog('run', { log, logLevel: 'debug' }, async (to: EventLog) => {
      to.debug('endpoint-down', {
        words: 'no key hunter2-"quoted"-secret',
        nested: [{ key: 'hunter2-"quoted"-secret' }],
      })
      throw new UsageError('refused hunter2-"quoted"-secret')
    }),
    { code: 'KUN_USAGE' },
  )
  const text = readFileSync(log, 'utf8')
  t.notMatch(text, /hunter2/)
  t.match(entriesOf(log), [
    { event: 'command-started' },
    { event: 'endpoint-down', words: 'no key ***', level: 'debug' },
    { event: 'command-failed', message: 'refused ***' },
  ])
})
