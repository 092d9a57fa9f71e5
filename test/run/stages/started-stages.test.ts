/** A stage that is started before its graph: its threads end whether that runs or not. */
import t from 'tap'
import { from } from '../../../lib/core/graph.js'
import { prepare } from '../../../lib/run/stages/prepare.js'
import type { Block } from '../../../lib/text/block.js'
import { startedThreads } from '../../support/started-threads.js'
import { article, blockOf, jsonl } from '../../text/support.js'

const started = startedThreads(t)

async function* oneBlock(): AsyncGenerator<Block> {
  yield blockOf(jsonl([{ text: article(1) }]))
}

/** Message ports of threads that run. */
const openPorts = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length

t.test('a stage that was started and has no graph ends its threads when it is closed', async (t) => {
  const before = openPorts()
  const stage = prepare({ workers: { threads: 1 } })
  stage.start()
  await stage.close?.()
  t.equal(started(), 1)
  t.equal(openPorts(), before)
})

t.test('a start that fails is reported to the first block, and closing is quiet', async (t) => {
  const first = prepare({ tokenizer: 'no/such/tokenizer.json', workers: { threads: 1 } })
  first.start()
  await t.rejects(from(oneBlock()).via(first).values().next(), { code: /KUN_/ })
  await first.close?.()
  t.equal(started(), 0)
})

t.test('a started stage uses its threads for its blocks', async (t) => {
  const stage = prepare({ workers: { threads: 1 } })
  stage.start()
  let documents = 0
  for await (const prepared of from(oneBlock()).via(stage).values()) {
    documents += prepared.documents
  }
  t.equal(documents, 1)
  t.equal(started(), 1)
})
