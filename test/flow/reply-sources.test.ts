/** Directories that `replies.from` may name. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { checkReplySources } from '../../lib/recipe/reply-sources.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { assembleTiny, generateTiny, plannedIds, prepareTiny } from '../support/divided.js'
import { runTiny } from '../support/session.js'

t.test('a directory without a run is refused, unless the run has copied what it needs', async (t) => {
  const folder = t.testdir({ empty: {}, 'a.txt': '' })
  for (const name of ['empty', 'missing']) {
    const directory = join(folder, name)
    const words = `replies.from: ${directory} does not contain a run, so that every call would be sent: give a run directory, such as out/demo`
    await t.rejects(checkReplySources([directory], false, t.fail), { code: 'KUN_USAGE', message: words })
    const said: string[] = []
    await checkReplySources([directory], true, (message) => said.push(message))
    t.strictSame(said, [words])
  }
})

t.test('a run in units has replies once it is assembled', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const directory = join(t.testdir(), 'run')
  await prepareTiny({ directory, endpoint: server.url, small: true })
  for (const id of await plannedIds(directory)) await generateTiny(directory, [id])
  const refused = { code: 'KUN_USAGE', message: /run kun-stream assemble .*run first$/ }
  await t.rejects(checkReplySources([directory], false, t.fail), refused)
  await assembleTiny(directory)
  await checkReplySources([directory], false, t.fail)
})

t.test('a run whose replies are gone is named', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const directory = join(t.testdir(), 'run')
  await runTiny({ directory, endpoint: server.url, small: true })
  await checkReplySources([directory], false, t.fail)
  rmSync(join(directory, 'replies'), { recursive: true })
  const said: string[] = []
  await checkReplySources([directory], false, (message) => said.push(message))
  t.strictSame(said, [`replies.from: ${directory} has no replies: every call is sent`])
})
