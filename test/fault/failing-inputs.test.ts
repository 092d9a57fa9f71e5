/** Input files on a disk or a file server that fails while they are read. */
import { join } from 'node:path'
import t from 'tap'
import { seededRandom } from '../../lib/core/random.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { failingInputs, type InputOperation } from '../support/failing-inputs.js'
import { testSeed } from '../support/random.js'
import { bytesOn, differing, runMini } from './mini-run.js'
import { inOrder, paddedShards, shardRejects } from './paused-runs.js'

t.setTimeout(300_000)

const seed = testSeed()
t.comment(`seed ${seed}`)
const next = seededRandom(seed)
const server = await startSimulator({ nonce: true })
t.teardown(() => server.close())

const operations: readonly InputOperation[] = ['open', 'read', 'stat', 'close']

for (const [name, bytes] of Object.entries(paddedShards(next))) {
  t.test(`${name}: a device that fails is no reject; the run stops and resumes to the same bytes`, async (t) => {
    const root = t.testdir({ in: { [name]: bytes, [`b-${name}`]: bytes } })
    const inputs = failingInputs(t, join(root, 'in'))
    const run = { directory: join(root, 'whole'), endpoint: server.url, input: join(root, 'in/*'), set: inOrder }
    t.equal(await runMini(run), 'input')
    const whole = await bytesOn(nodeFiles, run.directory)
    const counts = { ...inputs.counts }
    for (const operation of operations) {
      const errno = next() < 0.5 ? 'EIO' : 'ESTALE'
      const at = 1 + Math.floor(next() * counts[operation])
      const directory = join(root, `${operation}-${errno}`)
      const failing = { ...run, directory, set: [...inOrder, `replies.from=[${run.directory}]`] }
      const place = `${operation} ${at} of ${counts[operation]}: ${errno}`
      inputs.failAt(operation, at, errno)
      await t.rejects(
        runMini(failing),
        { code: 'KUN_STORAGE', exitCode: 3, details: { errno }, message: /jsonl|parquet/ },
        place,
      )
      t.ok(inputs.failed(), place)
      t.strictSame(await shardRejects(directory), [], place)
      t.equal(await runMini(failing), 'input', place)
      t.strictSame(differing(await bytesOn(nodeFiles, directory), whole), [], place)
    }
  })
}
