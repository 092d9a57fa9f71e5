import { join } from 'node:path'
import t from 'tap'
import { testSeed } from '../support/random.js'
import { flipBits } from '../torture/flips.js'

// Whole runs: on a machine that is busy with others they take their time.
t.setTimeout(600_000)

t.test('a flipped bit in any durable file is reported, and then repaired or refused, never used', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}; the long form is npm run torture -- --kills 0 --flips 200`)
  const report = await flipBits({
    flips: 12,
    seed,
    directory: join(t.testdir(), 'flips'),
    say: (line) => t.comment(line),
  })
  t.comment(JSON.stringify([report.files, report.outcomes]))
  t.strictSame(report.faults, [])
  t.equal(report.flips, 12)
  t.ok(Object.keys(report.files).length > 3, 'in several kinds of files')
})
