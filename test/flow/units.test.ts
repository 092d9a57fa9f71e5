import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { verifyDirectory } from '../../lib/run/verify.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { assembleTiny, generateTiny, manifestOf, plannedIds, prepareTiny } from '../support/divided.js'
import { bytesOf, runTiny } from '../support/session.js'

const linesOf = (directory: string): string[] => readFileSync(manifestOf(directory), 'utf8').split('\n')

t.test('units generated in any order give the bytes of one run', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir()
  const [single, divided] = [join(root, 'single'), join(root, 'divided')]
  await runTiny({ directory: single, endpoint: server.url })
  const prepared = await prepareTiny({ directory: divided, endpoint: server.url })
  const ids = await plannedIds(divided)
  t.equal(prepared.units, ids.length)
  t.ok(ids.length > 5, `${ids.length} units`)
  const [first = '', ...others] = [...ids].reverse()
  t.strictSame(await generateTiny(divided, [first]), ['committed'])
  t.equal((await assembleTiny(divided)).end, 'gap', 'the last unit alone assembles nothing')
  t.strictSame(
    await generateTiny(divided, others, 4),
    others.map(() => 'committed'),
  )
  const assembled = await assembleTiny(divided)
  t.equal(assembled.end, 'complete')
  t.strictSame(bytesOf(divided), bytesOf(single))
  t.strictSame(linesOf(divided), linesOf(single))
  const { findings } = await verifyDirectory(divided)
  t.strictSame(
    findings.filter(({ severity }) => severity === 'error'),
    [],
  )
})
