import { join } from 'node:path'
import t from 'tap'
import { testSeed } from '../support/random.js'
import { containersRefused } from '../torture/containers.js'
import { forms } from '../torture/forms.js'
import { torture } from '../torture/torture.js'

// Waits for leases, and whole runs: on a machine that is busy with others they take their time.
t.setTimeout(600_000)

const refused = containersRefused()
const root = t.testdir()

t.test(
  'two containers with one host name on one directory: whichever is killed or suspended, one of them commits at a time',
  { skip: refused === null ? false : `no containers here: ${refused}` },
  async (t) => {
    const seed = testSeed()
    t.comment(`seed ${seed}; the long form is npm run torture -- --with containers`)
    const { places, faults, kills } = await torture({
      kills: 3,
      killsPerRun: 3,
      seed,
      directory: join(root, 'containers'),
      forms: forms.filter(({ containers }) => containers === true),
      say: (line) => t.comment(line),
    })
    t.comment(JSON.stringify(places))
    t.strictSame(faults, [])
    t.equal(kills, 3)
  },
)
