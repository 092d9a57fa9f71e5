import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import t from 'tap'
import { registerDevHub } from '../../../lib/cli/commands/dev-hub.js'
import { faultsOf, registerSimulate } from '../../../lib/cli/commands/simulate.js'
import { get, post } from '../../simulator/support.js'

async function parsed(...flags: string[]): Promise<void> {
  const program = new Command().exitOverride()
  registerSimulate(program)
  await program.parseAsync(['node', 'kun-stream', 'simulate', ...flags])
}

t.test('simulate prints its URL, applies its flags, and ends at a signal with exit code 0', async (t) => {
  const module = fileURLToPath(new URL('../../../lib/cli/commands/simulate.js', import.meta.url))
  const commander = import.meta.resolve('commander')
  const script = `
    const { Command } = await import(${JSON.stringify(commander)})
    const { registerSimulate } = await import(${JSON.stringify(module)})
    const program = new Command()
    registerSimulate(program)
    await program.parseAsync(process.argv)`
  const flags = ['--port', '0', '--model', 'a/b', '--model', 'c/d', '--faults', 'engine-error@1-2', '--latency', '1..2']
  const args = ['--input-type=module', '-e', script, 'kun-stream', 'simulate', ...flags, '--preset', 'delay']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout, 'data')
  const url = String(line).trim()
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+\/v1$/)
  t.match((await get({ url }, '/v1/models')).body.data, [{ id: 'a/b' }, { id: 'c/d' }])
  const status = async () => (await post({ url }, '/v1/completions', { prompt: 'x' })).status
  t.same([await status(), await status(), await status()], [200, 500, 200])
  child.kill('SIGTERM')
  t.same(await once(child, 'exit'), [0, null])
})

t.test('a wrong flag is a usage error with the flag, the value and the allowed values', async (t) => {
  const wrong = (message: RegExp, ...flags: string[]) => t.rejects(parsed(...flags), { code: 'KUN_USAGE', message })
  await wrong(/^--port is many: give a whole number from 0 to 65535$/, '--port', 'many')
  await wrong(/^--port is 70000: give a whole number from 0 to 65535$/, '--port', '70000')
  await wrong(/^--queue-max is -1: give a whole number from 0$/, '--queue-max', '-1')
  await wrong(/^--preset is fast: give one of .*qwen3-8b-h100/, '--preset', 'fast')
  await wrong(/^--speed is 0: give a number over 0$/, '--speed', '0')
  await wrong(/^--missing has all: give one of metrics, /, '--missing', 'all')
  await wrong(/^--latency is 9\.\.1: give milliseconds: 20, or 5\.\.50/, '--latency', '9..1')
  await wrong(/^--lengths is x: give mean,sigma/, '--lengths', 'x')
  await wrong(/--faults: found 'what\?', give kind/, '--faults', 'what?')
  await wrong(/^--faults has unknown: give one of .*hang/, '--faults', 'unknown=0.5')
  await wrong(/--faults: could not open .*no such file/, '--faults', '@/no/such/file')
  await wrong(/is not valid JSON/, '--faults', '[')
  await wrong(/could not open .no.such.log.*no such file/, '--request-log', '/no/such.log')
})

t.test('a wrong port of dev-hub is refused with the same message', async (t) => {
  const program = new Command().exitOverride()
  registerDevHub(program)
  for (const port of ['abc', '', '70000', '1.5']) {
    const started = program.parseAsync(['node', 'kun-stream', 'dev-hub', t.testdir(), '--port', port])
    const message = `--port is ${port}: give a whole number from 0 to 65535`
    await t.rejects(started, { code: 'KUN_USAGE', exitCode: 2, message })
  }
})

t.test('fault rules are accepted in a short form and as JSON', async (t) => {
  t.same(faultsOf('engine-error=0.01,english@5000-6000, reset=0.5@3'), [
    { kind: 'engine-error', rate: 0.01 },
    { kind: 'english', after: 5000, until: 6000 },
    { kind: 'reset', rate: 0.5, after: 3 },
  ])
  t.same(faultsOf('[{"kind":"empty","times":2}]'), [{ kind: 'empty', times: 2 }])
  const path = `${t.testdir({ 'rules.json': '[{"kind":"hang"}]' })}/rules.json`
  t.same(faultsOf(`@${path}`), [{ kind: 'hang' }])
})
