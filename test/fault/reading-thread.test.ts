import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { WorkerLostError } from '../../lib/errors.js'
import { localShards, readBlocks } from '../../lib/sources/index.js'
import { documents, smallBlocks } from '../sources/support.js'

t.test('a thread that dies while it reads stops the run, after the blocks that it had sent', async (t) => {
  const folder = t.testdir({})
  writeFileSync(join(folder, 'a.jsonl'), `${documents(20_000, 1).join('\n')}\n`)
  const shards = await localShards({ split: 'test', root: folder, files: ['*'], mapping: { text: 'text' } })
  const started: Worker[] = []
  const { unref } = Worker.prototype
  Worker.prototype.unref = function (this: Worker) {
    started.push(this)
    return unref.call(this)
  }
  t.teardown(() => {
    Worker.prototype.unref = unref
  })
  const numbers: number[] = []
  const reading = (async () => {
    for await (const { block } of readBlocks(shards, { ...smallBlocks, thread: true })) {
      numbers.push(block.number)
      if (block.number === 2) await started[0]?.terminate()
    }
  })()
  const error = await reading.catch((thrown: unknown) => thrown)
  t.ok(error instanceof WorkerLostError)
  t.match(error, { code: 'KUN_WORKER_LOST', message: /the thread that reads the shards died: exit code 1/ })
  t.strictSame(
    numbers,
    numbers.map((_, index) => index),
  )
})
