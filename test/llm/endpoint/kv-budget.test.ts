import t from 'tap'
import { KvBudget } from '../../../lib/llm/endpoint/kv-budget.js'

const sample = { running: 10, waiting: 0, preemptions: 0, generationTokens: 0 }
const reply = { promptUnits: 1000, promptTokens: 500, replyTokens: 0, latencyMs: 1000 }

/** A budget that has seen replies to prompts of 500 tokens, with `count` such prompts in flight. */
function budgetWith(count: number): KvBudget {
  const budget = new KvBudget()
  for (let n = 0; n < 10; n++) budget.noteReply(reply)
  for (let n = 0; n < count; n++) budget.noteSent(1, 1000, 0)
  return budget
}

t.test('A cache is full when it has no space for another prompt and the margin', (t) => {
  const budget = budgetWith(10)
  t.notOk(budget.isFull(0), 'its size is unknown')
  budget.noteSample({ ...sample, atMs: 500, kvUsage: 0.9 })
  // 5,000 tokens are .9 of 5,556; the margin is 1.5 × 500² / (2 × 500) = 375.
  t.ok(budget.isFull(500), '5,000 + 500 + 375 > 5,556')
  budget.noteEnded(1, 500, 0)
  t.notOk(budget.isFull(500), '4,500 + 500 + 375 <= 5,556')
  t.end()
})

t.test('Tokens that were generated since the last sample count', (t) => {
  const budget = new KvBudget()
  for (let n = 0; n < 10; n++) budget.noteReply({ ...reply, replyTokens: 100 })
  for (let n = 0; n < 10; n++) budget.noteSent(1, 1000, 0)
  budget.noteSample({ ...sample, atMs: 0, kvUsage: 0.7 })
  t.notOk(budget.isFull(0))
  t.ok(budget.isFull(2000), '10 requests, .1 tokens per ms')
  t.end()
})

t.test('Without a report of KV use, or far from a full cache, nothing is limited; and 4 requests always pass', (t) => {
  for (const kvUsage of [null, 0.1]) {
    const budget = budgetWith(10)
    budget.noteSample({ ...sample, atMs: 500, kvUsage: 0.99 })
    t.ok(budget.isFull(500))
    budget.noteSample({ ...sample, atMs: 1000, kvUsage })
    t.notOk(budget.isFull(1000), String(kvUsage))
  }
  const few = budgetWith(3)
  few.noteSample({ ...sample, running: 3, atMs: 500, kvUsage: 1 })
  t.notOk(few.isFull(500))
  t.end()
})

t.test('Requests in the queue of the server hold nothing', (t) => {
  const budget = budgetWith(20)
  budget.noteSample({ ...sample, waiting: 10, atMs: 0, kvUsage: 0.5 })
  budget.noteEnded(10, 5000, 0)
  t.notOk(budget.isFull(0), 'the cache has 10,000 tokens, not 20,000')
  for (let n = 0; n < 9; n++) budget.noteSent(1, 1000, 0)
  t.ok(budget.isFull(0), '9,500 + 500 + 375 > 10,000')
  t.end()
})

t.test('A server without usage, a restart and an idle endpoint leave no trace', (t) => {
  const budget = new KvBudget()
  budget.noteReply({ ...reply, promptTokens: 0 })
  for (let n = 0; n < 10; n++) budget.noteSent(1, 1000, 0)
  budget.noteSample({ ...sample, atMs: 500, kvUsage: 0.99 })
  t.notOk(budget.isFull(500), 'no reply has said how many tokens a prompt has')
  const other = budgetWith(10)
  other.noteSample({ ...sample, atMs: 500, kvUsage: 0.99 })
  t.ok(other.isFull(500))
  other.restart()
  t.notOk(other.isFull(500))
  other.noteEnded(10, 5000, 0)
  other.noteSample({ ...sample, running: 0, atMs: 1000, kvUsage: 0.99 })
  t.notOk(other.isFull(1000))
  t.end()
})
