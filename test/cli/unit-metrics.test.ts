/** `--metrics` of generate: the units of the run and what this process did. */
import { join } from 'node:path'
import t from 'tap'
import { serveUnitMetrics } from '../../lib/cli/unit-metrics.js'
import { openObjectStore } from '../../lib/objects/open-store.js'
import { LiveDirectory } from '../../lib/pages/live-directory.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { unitMetricDefinitions } from '../../lib/units/unit-metric-definitions.js'
import { writeFailure } from '../../lib/units/unit-result.js'
import { generateTiny, plannedIds, prepareTiny } from '../support/divided.js'

t.test('units of a run as metrics and on its page: planned, done, begun, failed, set aside', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const directory = join(t.testdir(), 'run')
  await prepareTiny({ directory, endpoint: server.url, small: true, set: ['output.candidatesPerCut=20'] })
  const ids = await plannedIds(directory)
  const [first = '', second = '', third = '', fourth = ''] = ids
  await generateTiny(directory, [first, second])
  const store = await openObjectStore(directory)
  t.teardown(() => store.close())
  for (const digit of ['a', 'b', 'c']) await writeFailure(store, third, digit.repeat(16), new Error('no memory'))
  await writeFailure(store, fourth, 'a'.repeat(16), new Error('no memory'))
  await store.put(`attempts/${third}/${'c'.repeat(16)}/replies/000000.log`, Buffer.from(''))

  const { units } = await new LiveDirectory(directory).live()
  t.match(units, { planned: ids.length, done: 2, begun: 1, failed: 2, setAside: 1, failedAttempts: 4 })

  const lines: string[] = []
  const write = process.stderr.write.bind(process.stderr)
  process.stderr.write = (text: string | Uint8Array): boolean => lines.push(String(text)) > 0
  const close = await serveUnitMetrics({
    ...{ port: 0, name: 'tiny', store },
    worker: () => ({ committed: 2, already: 1, failed: 0 }),
  }).finally(() => {
    process.stderr.write = write
  })
  t.teardown(close)
  const url = /http:\S+/.exec(lines.join(''))?.[0] ?? ''
  const text = await (await fetch(url)).text()
  for (const { name, type, help } of unitMetricDefinitions) {
    t.match(name, /^kun_stream_[a-z]+(_[a-z]+)*$/)
    t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`)
    t.match(help, /^(?:[A-Z]|1 ).*\.$/, name)
    t.match(text, new RegExp(`^${name}\\{recipe="tiny"\\} [0-9]`, 'm'), `${name} has a value`)
  }
  for (const line of [
    `units_planned{recipe="tiny"} ${ids.length}`,
    'units_done{recipe="tiny"} 2',
    'units_begun{recipe="tiny"} 1',
    'units_failed{recipe="tiny"} 2',
    'units_set_aside{recipe="tiny"} 1',
    'worker_units_committed_total{recipe="tiny"} 2',
  ]) {
    t.ok(text.includes(`kun_stream_${line}\n`), line)
  }
  t.equal(
    await serveUnitMetrics({ port: undefined, name: '', store, worker: () => noTally }).then((end) => end()),
    undefined,
  )
})

const noTally = { committed: 0, already: 0, failed: 0 }
