/** Directories that `replies.from` may name. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { checkReplySources } from '../../lib/run/reply-sources.js'
import type { KunSettings } from '../../lib/run/settings.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readRunRecord } from '../../lib/sinks/index.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { assembleTiny, generateTiny, plannedIds, prepareTiny } from '../support/divided.js'
import { runTiny } from '../support/session.js'

/** Checks one directory, for a run in another; returns what was reported. */
async function reported(from: string, dir: string): Promise<readonly string[]> {
  const events: string[] = []
  const settings = { output: { dir } as KunSettings['output'], replies: { keep: true, from: [from] } }
  await checkReplySources(settings, { files: nodeFiles, onEvent: (message) => events.push(message) })
  return events
}

async function endpoint(t: Test): Promise<string> {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  return server.url
}

t.test('a directory without a run is refused, unless the run has copied what it needs', async (t) => {
  const folder = t.testdir({ empty: {} })
  const begun = join(folder, 'begun')
  await runTiny({ directory: begun, endpoint: await endpoint(t), small: true })
  for (const name of ['empty', 'missing']) {
    const from = join(folder, name)
    const message = `replies.from: ${from} does not contain a run, so that every call would be sent: give a run directory, such as out/demo`
    await t.rejects(reported(from, join(folder, 'new')), { code: 'KUN_USAGE', message })
    t.strictSame(await reported(from, begun), [message])
  }
})

t.test('a run in units has replies once it is assembled', async (t) => {
  const [directory, other] = [join(t.testdir(), 'run'), join(t.testdirName, 'new')]
  await prepareTiny({ directory, endpoint: await endpoint(t), small: true })
  for (const id of await plannedIds(directory)) await generateTiny(directory, [id])
  await t.rejects(reported(directory, other), { code: 'KUN_USAGE', message: /run kun-stream assemble .*run first$/ })
  await assembleTiny(directory)
  t.strictSame(await reported(directory, other), [])
})

t.test('a run whose replies are gone is named', async (t) => {
  const [directory, other] = [join(t.testdir(), 'run'), join(t.testdirName, 'new')]
  await runTiny({ directory, endpoint: await endpoint(t), small: true })
  t.strictSame(await reported(directory, other), [])
  rmSync(join(directory, 'replies'), { recursive: true })
  t.strictSame(await reported(directory, other), [`replies.from: ${directory} has no replies: every call is sent`])
})

t.test('a run and the plan of one refuse a wrong directory before anything is written', async (t) => {
  const folder = t.testdir()
  const set = [`replies.from=["${join(folder, 'missing')}"]`]
  const given = { endpoint: await endpoint(t), small: true, set }
  await t.rejects(runTiny({ directory: join(folder, 'run'), ...given }), { code: 'KUN_USAGE' })
  await t.rejects(prepareTiny({ directory: join(folder, 'units'), ...given }), { code: 'KUN_USAGE' })
  for (const name of ['run', 'units']) t.strictSame(await nodeFiles.list(join(folder, name, 'replies')), [])
  t.equal(await readRunRecord(join(folder, 'run')), null)
})
