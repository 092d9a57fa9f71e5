import { join } from 'node:path'
import t from 'tap'
import { testSeed } from '../support/random.js'
import { type Form, forms } from '../torture/forms.js'
import { torture } from '../torture/torture.js'

// Whole runs: on a machine that is busy with others they take their time.
t.setTimeout(600_000)

t.test(
  'a server that fails while it is probed leaves the bytes as they are, however often the run is killed',
  async (t) => {
    const seed = testSeed()
    t.comment(`seed ${seed}; the long form is npm run torture -- --with probe-outages`)
    const { places, faults } = await torture({
      kills: 2,
      killsPerRun: 2,
      seed,
      directory: join(t.testdir(), 'probe-outages'),
      forms: [forms.find(({ name }) => name === 'probe-outages') as Form],
      say: (line) => t.comment(line),
    })
    t.comment(JSON.stringify(places))
    t.strictSame(faults, [])
  },
)
