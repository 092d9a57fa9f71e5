import { join } from 'node:path'
import t from 'tap'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { bytesOf, runTiny } from '../support/session.js'

t.test('three stages that share one slot finish, and so does a block larger than all byte credit', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir()
  const run = { endpoint: server.url, small: true }
  await runTiny({ ...run, directory: join(root, 'roomy') })
  const one = ['models.writer.inFlightMax=1', 'models.judge.inFlightMax=1']
  const tight = [...one, 'memory.inFlightMax=1KiB', 'memory.reorderBytesMax=0']
  await runTiny({ ...run, directory: join(root, 'tight'), set: tight })
  t.strictSame(bytesOf(join(root, 'tight')), bytesOf(join(root, 'roomy')), 'with the bytes of a run with room')
})
