/** `prepare --units-ahead`: no more units without a result than that. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { openUnits } from '../../lib/units/open-units.js'
import { generateTiny, prepareTiny } from '../support/divided.js'

t.setTimeout(300_000)

t.test('prepare waits for results while as many units as it may plan ahead have none', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const directory = join(t.testdir(), 'run')
  const [max, set] = [2, ['output.candidatesPerCut=30']]
  let over = false
  const preparing = prepareTiny({ directory, endpoint: server.url, small: true, set, unitsAheadMax: max })
  const end = preparing.finally(() => {
    over = true
  })
  end.catch(() => undefined)
  let most = 0
  let generated = 0
  while (!over) {
    const open = await openIds(directory)
    most = Math.max(most, open.length)
    // Only when it can plan no more: so that it must wait.
    if (open.length < max) await delay(20)
    else generated += (await generateTiny(directory, open.slice(0, 1))).length
  }
  const { units } = await end
  t.ok(units > max, `${units} units`)
  t.equal(most, max, 'never more units without a result')
  t.ok(generated >= units - max, `${generated} were generated before the plan was complete`)
})

/** Ids of the planned units without a result; none before `prepare` has written its recipe. */
async function openIds(directory: string): Promise<string[]> {
  const run = await openUnits(directory, { readOnly: true }).catch(() => null)
  if (run === null) return []
  const open: string[] = []
  for await (const { id } of run.planned()) if (!(await run.isDone(id))) open.push(id)
  await run.close()
  return open
}
