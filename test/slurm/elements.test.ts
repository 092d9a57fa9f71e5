/** Division of units into elements and arrays, and the script of an array: without Slurm. */
import t from 'tap'
import { arrayScript } from '../../lib/slurm/array-script.js'
import { divideUnits, unitsInTime } from '../../lib/slurm/elements.js'
import { createSubmission, submittedArrays, unitsOfElement, writeArray, writeJobs } from '../../lib/slurm/submission.js'

const ids = Array.from({ length: 1001 }, (_, n) => `u${n}`)

t.test('Every unit is in one element, arrays fit, and their limits add up', (t) => {
  for (const unitsPerElement of [1, 7, 1001, 5000]) {
    for (const arrayMax of [1, 8, 1000, 1001]) {
      for (const parallel of [null, 1, 3, 64]) {
        const arrays = divideUnits(ids, { unitsPerElement, arrayMax, parallel })
        const units = arrays.flatMap(({ elements }) => elements.flat())
        const what = `${unitsPerElement} units, arrays of ${arrayMax}, ${parallel} at once`
        t.same([...units].sort(), [...ids].sort(), what)
        t.ok(
          arrays.every(({ elements }) => elements.length > 0 && elements.length <= arrayMax),
          what,
        )
        if (parallel === null) continue
        t.ok(
          arrays.every((array) => (array.parallel ?? 0) >= 1),
          what,
        )
        t.equal(
          arrays.reduce((sum, array) => sum + (array.parallel ?? 0), 0),
          parallel,
          what,
        )
      }
    }
  }
  t.same(divideUnits([], { unitsPerElement: 1, arrayMax: 8, parallel: null }), [])
  t.same(
    divideUnits(ids, { unitsPerElement: 1, arrayMax: 1000, parallel: null }).map(({ elements }) => elements.length),
    [501, 500],
  )
  t.end()
})

t.test('An element has the units that fit into its time, at least one', (t) => {
  t.equal(unitsInTime(3600, 0), 1)
  t.equal(unitsInTime(3600, 3061), 1)
  t.equal(unitsInTime(3600, 7200), 1)
  t.equal(unitsInTime(3600, 382), 9)
  t.end()
})

t.test('The script quotes its command, and refuses an option that would be a line of its own', (t) => {
  const script = { name: 'n', elements: 3, parallel: 2, logs: '/l', options: ['gres=gpu:1'], retriesMax: 3 }
  const text = arrayScript({ ...script, command: ['node', "it's", '$(id)'] })
  t.match(text, /^#SBATCH --array=0-2%2$/m)
  t.match(text, /^#SBATCH --gres=gpu:1$/m)
  t.match(text, `'node' 'it'\\''s' '$(id)' "$SLURM_ARRAY_TASK_ID" &`)
  t.notMatch(arrayScript({ ...script, parallel: null, command: ['node'] }), /%2/)
  for (const option of ['--gres=gpu:1', 'gres=gpu\ntouch /tmp/x', 'a b', '']) {
    t.throws(() => arrayScript({ ...script, options: [option], command: [] }), { code: 'KUN_INVALID_OPTION' })
  }
  t.end()
})

t.test('Submissions have folders of their own, and a damaged one is named', async (t) => {
  const folder = `${t.testdir({})}/slurm`
  const made = await Promise.all([createSubmission(folder), createSubmission(folder), createSubmission(folder)])
  t.equal(new Set(made).size, 3)
  const [first = '', second = ''] = made
  await writeArray(first, 0, [['a', 'b'], ['c']], '')
  await writeJobs(first, [17])
  await writeArray(first, 1, [['d']], '')
  t.same(
    await submittedArrays(folder),
    [
      { job: 17, script: `${first}/array-000.sh`, elements: [['a', 'b'], ['c']] },
      { job: null, script: `${first}/array-001.sh`, elements: [['d']] },
    ],
    'of an array that was not noted the script is known',
  )
  t.same(await unitsOfElement(first, 0, 1), ['c'])
  await t.rejects(unitsOfElement(first, 0, 2), { code: 'KUN_USAGE', message: /has no element 2/ })
  await t.rejects(unitsOfElement(second, 0, 0), { code: 'KUN_USAGE', message: /does not exist/ })
  await writeArray(second, 0, 'no list' as never, '')
  await t.rejects(unitsOfElement(second, 0, 0), { code: 'KUN_CORRUPT_FILE' })
})
