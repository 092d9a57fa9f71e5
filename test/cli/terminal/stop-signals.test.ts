import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { startHub } from '../../../lib/simulator/hub/index.js'
import { startSimulator } from '../../../lib/simulator/vllm/index.js'
import { type Command, command } from '../../support/commands.js'
import { projectRoot } from '../../support/root.js'
import { addCuts } from '../../support/run-directory.js'
import { tinyRecipe } from '../../support/session.js'

// Each waits for processes; on a busy machine these take their time.
t.setTimeout(600_000)

const program = 'bin/kun-stream.js'

/** A server that takes every request and answers none, and when the first arrived. */
async function silentServer(t: Test): Promise<{ url: string; asked: Promise<void> }> {
  let heard = (): void => undefined
  const asked = new Promise<void>((resolve) => {
    heard = resolve
  })
  const server = createServer(() => heard())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, asked }
}

/** Resolves when the condition holds; rejects when the command has ended before. */
async function until(run: Command, condition: () => boolean): Promise<void> {
  let ended = false
  void run.ended.then(() => {
    ended = true
  })
  while (!condition()) {
    if (ended) throw new Error(`it ended too early: ${(await run.ended).err}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
  t.test(`${signal} drains a run: replies in flight are kept, onExit runs, the exit code is 3`, async (t) => {
    const server = await startSimulator({ preset: 'delay', latencyMs: 100 })
    t.teardown(() => server.close())
    const root = t.testdir()
    const output = join(root, 'output')
    writeFileSync(join(root, 'recipe.yaml'), tinyRecipe(server.url, true))
    const onExit = `onExit='printf "%s %s" "$KUN_EXIT_CODE" "$KUN_EXIT_REASON" > ${output}; true'`
    const run = command(program, ['run', join(root, 'recipe.yaml'), '--out', join(root, 'run'), '--set', onExit])
    await until(run, () => server.requests().filter(({ key }) => key !== null).length >= 3)
    run.child.kill(signal)
    t.match(await run.ended, { code: 3, err: /waiting for the requests in flight.*every reply received is kept/s })
    t.equal(readFileSync(output, 'utf8'), '3 KUN_ABORTED')
    t.equal(server.requests().filter(({ key, complete }) => key !== null && !complete).length, 0, 'none was cut off')
  })

  t.test(`${signal} before the run started, with a silent server: exit code 3, onExit runs, no wait`, async (t) => {
    const { url, asked } = await silentServer(t)
    const root = t.testdir()
    const output = join(root, 'output')
    writeFileSync(join(root, 'recipe.yaml'), tinyRecipe(url, true))
    const args = [
      'run',
      join(root, 'recipe.yaml'),
      '--out',
      join(root, 'run'),
      '--set',
      `onExit="touch ${output}; true"`,
    ]
    const run = command(program, args)
    await asked
    run.child.kill(signal)
    t.match(await run.ended, { code: 3, err: new RegExp(`stopped by ${signal} before the run started`) })
    t.ok(existsSync(output), 'onExit was run')
  })
}

t.test('a signal while the program is loading ends it with the exit code of its command', async (t) => {
  const entry = pathToFileURL(join(projectRoot, 'dist/lib/cli/terminal/stop-signals.js')).href
  for (const [name, signal, code] of [
    ['run', 'SIGHUP', 3],
    ['publish', 'SIGTERM', 3],
    ['rebuild', 'SIGINT', 3],
    ['simulate', 'SIGTERM', 0],
    ['plan', 'SIGTERM', null],
  ] as const) {
    // What bin/kun-stream.ts does first; the rest of the program never comes.
    const loading = `const { endAtStopSignal } = await import('${entry}')
endAtStopSignal('${name}'); process.stdout.write('loading'); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', loading], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = once(child, 'close')
    await once(child.stdout, 'data')
    child.kill(signal)
    t.strictSame(await ended, [code, code === null ? signal : null], `${name} ${signal}`)
  }
})

t.test('simulate and dev-hub end with exit code 0 at each of the signals', async (t) => {
  const hub = ['dev-hub', join(t.testdir(), 'hub')]
  for (const [args, signal] of [
    [['simulate'], 'SIGHUP'],
    [hub, 'SIGHUP'],
    [hub, 'SIGINT'],
  ] as const) {
    const server = command(program, [...args, '--port', '0'])
    await server.said('Ctrl-C')
    server.child.kill(signal)
    t.match(await server.ended, { code: 0, signal: null }, `${args[0]} ${signal}`)
  }
})

t.test('simulate and dev-hub report that a port is in use, and end with exit code 2', async (t) => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.teardown(() => taken.close())
  const port = String((taken.address() as AddressInfo).port)
  for (const args of [['simulate'], ['dev-hub', join(t.testdir(), 'hub')]]) {
    const { code, out, err } = await command(program, [...args, '--port', port]).ended
    t.match({ code, err }, { code: 2, err: `cannot listen on 127.0.0.1:${port}: the port is in use` })
    t.equal(out, '', 'no address that does not answer')
    t.notMatch(err, /\n\s+at |bug/)
  }
  const foreign = await command(program, ['simulate', '--port', '0', '--host', '192.0.2.1']).ended
  t.match(foreign, { code: 2, err: /cannot listen on 192\.0\.2\.1:0: this machine does not have the address/ })
})

t.test('pipe and dedup are ended by a stop signal, and remove their temporary folder', async (t) => {
  const temporary = join(t.testdir(), 'temporary')
  mkdirSync(temporary)
  for (const [name, signal] of [
    ['pipe', 'SIGINT'],
    ['pipe', 'SIGHUP'],
    ['dedup', 'SIGTERM'],
  ] as const) {
    const run = command(program, [name], { TMPDIR: temporary }, 'pipe')
    // The folder is made for the first block, which ends after 64 KiB.
    if (name === 'pipe') run.child.stdin?.write(`${JSON.stringify({ text: '字'.repeat(1000) })}\n`.repeat(800))
    await until(run, () => readdirSync(temporary).length > 0)
    run.child.kill(signal)
    t.match(await run.ended, { code: null, signal }, `${name} ${signal}`)
    t.strictSame(readdirSync(temporary), [], 'nothing is left')
  }
})

t.test('publish stopped by a signal ends after the current request with exit code 3, and resumes', async (t) => {
  const root = t.testdir({ run: {} })
  const hub = await startHub({ directory: join(root, 'hub') })
  t.teardown(() => hub.close())
  await addCuts(join(root, 'run'), { cuts: 2 })
  const args = ['publish', join(root, 'run'), '--repo', 'me/demo', '--hub-url', hub.url, '--token', 'env:MINE']
  const publish = () => command(program, args, { MINE: 'hf_mine' })
  // The Hub stays away: the publish waits for its next try.
  hub.faults.set([{ kind: 'status', status: 503, match: 'POST .*/commit/', times: -1 }])
  const waiting = publish()
  await waiting.said('failed with 503')
  waiting.child.kill('SIGHUP')
  t.match(await waiting.ended, { code: 3, err: /publishing was stopped by SIGHUP; publish again/ })
  hub.faults.set([{ kind: 'stall', match: 'POST .*/commit/', times: -1 }])
  const stalled = publish()
  await stalled.said('commit main')
  stalled.child.kill('SIGTERM')
  await stalled.said('a second signal stops immediately')
  t.equal(stalled.child.exitCode, null, 'the current request is not aborted')
  stalled.child.kill('SIGTERM')
  t.match(await stalled.ended, { code: 3, err: /publishing was stopped by SIGTERM/ })
  hub.faults.set([])
  const done = await publish().ended
  t.match(done, { code: 0, err: /0 of 2 data files uploaded/ }, 'files already sent are not sent again')
  t.equal(Object.keys(hub.tree('me/demo')).filter((path) => path.endsWith('.parquet')).length, 2)
})
