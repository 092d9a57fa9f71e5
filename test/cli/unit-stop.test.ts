/** Commands on units that wait for a store or a queue that does not respond: nothing is in flight, and a signal ends them. */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { command } from '../support/commands.js'
import { prepareTiny } from '../support/divided.js'
import { tinyRecipe } from '../support/session.js'

t.test('a signal ends a command that waits for its store or its queue', async (t) => {
  let connected = (): void => undefined
  const silent = createServer((socket) => {
    socket.on('error', () => undefined) // the command ends before a response
    connected()
  })
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const { port } = silent.address() as { port: number }
  const folder = t.testdir()
  const recipe = join(folder, 'tiny.yaml')
  writeFileSync(recipe, tinyRecipe(`http://127.0.0.1:${port}/v1`, true))
  const directory = join(folder, 'run')
  await prepareTiny({ directory, endpoint: `http://127.0.0.1:${port}/v1`, small: true }, false)
  t.setTimeout(100_000)
  const queue = ['--queue', `redis://127.0.0.1:${port}`]
  const commands = [
    ['prepare', recipe, '--out', 's3://kun/run'],
    ['generate', 's3://kun/run'],
    ['assemble', 's3://kun/run', '--out', join(folder, 'dataset')],
    ['worker', directory, ...queue, '--trust'],
    ['enqueue', directory, ...queue],
  ]
  for (const args of commands) {
    const [name = ''] = args
    const environment = { AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`, KUN_STREAM_LANG: 'en', NO_COLOR: '1' }
    const isConnected = new Promise<void>((resolve) => {
      connected = resolve
    })
    const { child, ended } = command('bin/kun-stream.js', args, environment)
    await Promise.race([isConnected, ended])
    child.kill('SIGTERM')
    const { code, signal, err } = await ended
    t.same([code, signal], [3, null], `${name}: ${err}`)
    t.match(err, ['worker', 'enqueue'].includes(name) ? /^stopped$/m : `stopped by SIGTERM before ${name} started`)
  }
})
