/** Which units `submit --slurm` sets aside: those that fail, not those whose servers or disks failed. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { OutageError, ServerError, StorageError } from '../../lib/errors.js'
import { openObjectStore } from '../../lib/objects/open-store.js'
import { submitUnits } from '../../lib/slurm/submit.js'
import { writePlanFile, writePlanTotals } from '../../lib/units/unit-plan.js'
import { writeFailure } from '../../lib/units/unit-result.js'

t.test('an outage or a full disk counts against no unit; damaged results end no submission', async (t) => {
  const directory = t.testdir({ failed: {}, results: { '000': {} } })
  const store = await openObjectStore(directory)
  t.teardown(() => store.close())
  const zero = '0'.repeat(64)
  const ids = [0, 1, 2].map((cut) => `00000${cut}-${'a'.repeat(20)}`)
  const lines = ids.map((id, cut) => ({
    ...{ cut, id, candidates: 1, bytes: 1, sha256: zero, content: zero, firstBlock: cut, blocks: 1 },
    ...{ cursor: null, inputs: { ended: [], open: [] }, dedupLogBytes: 0 },
  }))
  await writePlanFile(store, lines)
  await writePlanTotals(store, { units: 3, candidates: 3 })
  const [done = '', down = '', poison = ''] = ids
  writeFileSync(join(directory, `results/000/${done}.json`), 'damaged')
  writeFileSync(join(directory, 'failed/.DS_Store'), '')
  for (const attempt of ['a', 'b', 'c']) {
    await writeFailure(store, down, attempt, new OutageError('down'))
    await writeFailure(store, poison, attempt, new ServerError('this unit'))
  }
  await writeFailure(store, down, 'd', new StorageError('the disk is full'))
  const submit = (attemptsMax: number) =>
    submitUnits({
      ...{ store, folder: join(directory, 'slurm'), name: 'kun-test', parallel: 4, elementSeconds: 100 },
      ...{ unitSeconds: null, attemptsMax, retriesMax: 3, options: [], command: [], dryRun: true },
    })
  const before = process.env.PATH
  t.teardown(() => {
    process.env.PATH = before
  })
  const programs = join(directory, 'bin')
  mkdirSync(programs)
  writeFileSync(join(programs, 'scontrol'), "#!/bin/sh\necho 'MaxArraySize = 77'\n", { mode: 0o755 })
  writeFileSync(join(programs, 'squeue'), '#!/bin/sh\n', { mode: 0o755 })
  process.env.PATH = `${programs}:${before}`
  t.match(await submit(3), { planned: 3, done: 1, setAside: [poison], submitted: 1 })
  t.match(await submit(4), { setAside: [], submitted: 2 })
})
