import { join } from 'node:path'
import t from 'tap'
import { testSeed } from '../support/random.js'
import { forms } from '../torture/forms.js'
import { torture } from '../torture/torture.js'

// Whole runs: on a machine that is busy with others they take their time.
t.setTimeout(600_000)

const root = t.testdir()

t.test(
  'an input of which one bit was changed between a kill and the resume is refused, and resumes once put back',
  async (t) => {
    const seed = testSeed()
    t.comment(`seed ${seed}; the long form is npm run torture -- --with 'changed input'`)
    const { places, faults } = await torture({
      kills: 2,
      killsPerRun: 2,
      seed,
      directory: join(root, 'changed'),
      forms: forms.filter(({ changesInput }) => changesInput === true),
      say: (line) => t.comment(line),
    })
    t.comment(JSON.stringify(places))
    t.strictSame(faults, [])
  },
)
