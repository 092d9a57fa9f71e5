import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startSimulator } from '../../../lib/simulator/vllm/index.js'
import { projectRoot } from '../../support/root.js'
import { runTiny, tinyRecipe } from '../../support/session.js'

const command = join(projectRoot, 'dist/bin/kun-stream.js')
const full = '/dev/full'

t.test('a failed write to standard output is reported, with exit code 3', { skip: !existsSync(full) }, async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const directory = join(t.testdir(), 'run')
  await runTiny({ directory, endpoint: server.url, small: true })
  for (const args of [
    ['status', directory],
    ['verify', directory, '--json'],
    ['inspect', directory],
  ]) {
    const stdout = openSync(full, 'w')
    t.teardown(() => closeSync(stdout))
    const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', stdout, 'pipe'] })
    let stderr = ''
    child.stderr?.on('data', (bytes) => (stderr += bytes))
    const [code] = await once(child, 'close')
    t.equal(code, 3, args.join(' '))
    t.equal(
      stderr,
      'standard output could not be written: the disk is full. Free space, or write elsewhere, and run the command again\n',
    )
  }
})

t.test('a run whose summary cannot be written ends with exit code 1', { skip: !existsSync(full) }, async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir()
  const recipe = join(root, 'recipe.yaml')
  writeFileSync(recipe, tinyRecipe(server.url, true))
  const stdout = openSync(full, 'w')
  t.teardown(() => closeSync(stdout))
  const args = [command, 'run', recipe, '--out', join(root, 'run')]
  const child = spawn(process.execPath, args, { stdio: ['ignore', stdout, 'pipe'] })
  let stderr = ''
  child.stderr?.on('data', (bytes) => (stderr += bytes))
  const [code] = await once(child, 'close')
  t.equal(code, 1)
  t.match(stderr, /standard output could not be written: the disk is full/)
  t.ok(existsSync(join(root, 'run/stats.json')), 'the run is done')
})

t.test('a run continues after its output is closed', async (t) => {
  const server = await startSimulator({ preset: 'delay', latencyMs: 20 })
  t.teardown(() => server.close())
  const root = t.testdir()
  const recipe = join(root, 'recipe.yaml')
  writeFileSync(recipe, tinyRecipe(server.url, true))
  const args = [command, 'run', recipe, '--out', join(root, 'run')]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  child.stderr.destroy()
  const [code] = await once(child, 'close')
  t.equal(code, 0)
  t.ok(existsSync(join(root, 'run/stats.json')))
})
