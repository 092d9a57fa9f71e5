/** The commands of Slurm where they fail in passing: with programs of the test in their place. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { liveElements, liveJobs, maxArraySize, startNow, submitScript } from '../../lib/slurm/commands.js'

const timedOut = 'slurm_load_jobs error: Socket timed out on send/recv operation'

/** Puts programs before all others; each is a script of sh. Each call is noted with its arguments. */
function withPrograms(t: Test, programs: Readonly<Record<string, string>>) {
  const folder = t.testdir({})
  for (const [name, script] of Object.entries(programs)) {
    const path = join(folder, name)
    writeFileSync(path, `#!/bin/sh\necho "${name} $*" >>${folder}/calls\n${script}\n`)
    chmodSync(path, 0o755)
  }
  const before = process.env.PATH ?? ''
  process.env.PATH = `${folder}:${before}`
  t.teardown(() => {
    process.env.PATH = before
  })
  const calls = (): string[] =>
    existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trimEnd().split('\n') : []
  return { folder, calls }
}

/** A script of sh that fails the first time, and then does what is given. */
const failsOnce = (then: string) =>
  `[ -e "$0.again" ] || { touch "$0.again"; echo '${timedOut}' >&2; exit 1; }\n${then}`

t.test('A query that timed out is repeated', async (t) => {
  const { calls } = withPrograms(t, {
    squeue: failsOnce(`printf '3 None\\n5 BeginTime\\n'`),
    scontrol: failsOnce(`echo 'MaxArraySize = 77'`),
  })
  t.same(await liveElements(17), [
    { index: 3, isDelayed: false },
    { index: 5, isDelayed: true },
  ])
  t.equal(await maxArraySize(), 77)
  await startNow(17, 5)
  t.equal(calls().length, 5)
})

t.test('A job that Slurm forgot has no elements, and is asked for once', async (t) => {
  const { calls } = withPrograms(t, { squeue: `echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1` })
  t.same(await liveElements(17), [])
  t.equal(calls().length, 1)
})

t.test('A job that was accepted though sbatch failed is found in the queue, and not submitted again', async (t) => {
  const { calls, folder } = withPrograms(t, {
    sbatch: `echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2; exit 1`,
    squeue: `printf '11 /other.sh\\n12 ${t.testdirName}/a b.sh\\n'`,
  })
  t.same(
    [...(await liveJobs())],
    [
      ['/other.sh', 11],
      [`${folder}/a b.sh`, 12],
    ],
  )
  t.equal(await submitScript(`${folder}/a b.sh`), 12)
  await t.rejects(submitScript(`${folder}/c.sh`), { code: 'KUN_SLURM', message: /Batch job submission failed/ })
  t.equal(calls().filter((call) => call.startsWith('sbatch')).length, 2)
})

t.test('A program that is not installed is named at once', async (t) => {
  const { folder } = withPrograms(t, {})
  process.env.PATH = folder
  await t.rejects(liveElements(17), { code: 'KUN_SLURM', message: /squeue is not installed/ })
  await t.rejects(submitScript('/a.sh'), { code: 'KUN_SLURM', message: /sbatch is not installed/ })
})
