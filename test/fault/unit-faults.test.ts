/** A failure at each file operation of a unit and of assembly: nothing that counts is wrong, and the next call succeeds. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { KunStreamError } from '../../lib/errors.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { type FileLayer, nodeFiles } from '../../lib/storage/files.js'
import { openUnits } from '../../lib/units/open-units.js'
import { resultKey } from '../../lib/units/unit-keys.js'
import { assembleTiny, generateTiny, plannedIds, prepareTiny } from '../support/divided.js'
import { FailingFiles } from '../support/failing-files.js'
import { bytesOf } from '../support/session.js'

t.setTimeout(300_000)

const never: AbortSignal = new AbortController().signal

/** Calls `work` with a failure at operation 1, 2 and so on, until one passes without it. @returns the number of failures */
async function atEveryOperation(
  work: (files: FailingFiles) => Promise<unknown>,
  after: (failure: KunStreamError | null, what: string) => Promise<void>,
): Promise<number> {
  for (let failAt = 1; ; failAt++) {
    const failing = new FailingFiles(failAt, 'EIO')
    const failure = await work(failing).then(
      () => null,
      (error: KunStreamError) => error,
    )
    if (failing.failed === null) return failAt - 1
    await after(failure, failing.failed)
  }
}

t.test('a failure at any file operation of a unit leaves no wrong result, and the next attempt succeeds', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const directory = join(t.testdir(), 'run')
  await prepareTiny({ directory, endpoint: server.url, small: true, set: ['output.candidatesPerCut=3'] })
  const [id = ''] = await plannedIds(directory)
  let current: FileLayer = nodeFiles
  const files = new Proxy(nodeFiles, {
    get: (_, name: keyof FileLayer) => (current[name] as () => unknown).bind(current),
  })
  const run = await openUnits(directory, { files })
  const worker = await run.openWorker({ signal: never })
  const result = join(directory, resultKey(id))
  await worker.generate(id)
  const expected = resultOf(result)
  const faults = await atEveryOperation(
    async (failing) => {
      rmSync(result, { force: true })
      rmSync(join(directory, 'attempts', id), { recursive: true, force: true })
      current = failing
      await worker.generate(id).finally(() => {
        current = nodeFiles
      })
    },
    async (failure, what) => {
      if (failure !== null && failure.code !== 'KUN_STORAGE') t.fail(`${what}: ${failure.code}`)
      if (failure === null && !existsSync(result)) t.fail(`${what}: no failure and no result`)
      if (!existsSync(result)) await worker.generate(id)
      if (resultOf(result) !== expected) t.fail(`another result after ${what}`)
    },
  )
  t.ok(faults > 30, `${faults} operations failed`)
  await worker.close()
  await run.close()
})

/** The part of a result that every attempt has. */
function resultOf(path: string): string {
  const { crc32: _, attempt: __, work: ___, replies: ____, ...fields } = JSON.parse(readFileSync(path, 'utf8'))
  return JSON.stringify(fields)
}

t.test('a failure at any file operation of assembly leaves a directory that the next call completes', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir()
  const [directory, into] = [join(root, 'run'), join(root, 'out')]
  await prepareTiny({ directory, endpoint: server.url, small: true, set: ['output.candidatesPerCut=60'] })
  await generateTiny(directory, await plannedIds(directory), 2)
  await assembleTiny(directory, [], into)
  const all = (): string => JSON.stringify([bytesOf(into), readFileSync(join(into, 'manifest.jsonl'), 'utf8')])
  const expected = all()
  const faults = await atEveryOperation(
    async (files) => {
      rmSync(into, { recursive: true, force: true })
      await assembleTiny(directory, [], into, files)
    },
    async (_, what) => {
      // The process that could not delete its lock would have ended.
      rmSync(join(into, 'lock.json'), { force: true })
      const { end } = await assembleTiny(directory, [], into)
      if (end !== 'complete' || all() !== expected) t.fail(`after ${what}: ${end}`)
    },
  )
  t.ok(faults > 30, `${faults} operations failed`)
})
