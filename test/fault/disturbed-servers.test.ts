import { join } from 'node:path'
import t from 'tap'
import { testSeed } from '../support/random.js'
import { type Form, forms } from '../torture/forms.js'
import { torture } from '../torture/torture.js'

// Whole runs: on a machine that is busy with others they take their time.
t.setTimeout(600_000)

const root = t.testdir()

for (const [name, title] of [
  [
    'probe-outages',
    'a server that fails while it is probed leaves the bytes as they are, however often the run is killed',
  ],
  ['poison', 'three records that a server always fails become three rejects, and nothing else changes'],
] as const) {
  t.test(title, async (t) => {
    const seed = testSeed()
    t.comment(`seed ${seed}; the long form is npm run torture -- --with ${name}`)
    const { places, faults } = await torture({
      kills: 2,
      killsPerRun: 2,
      seed,
      directory: join(root, name),
      forms: [forms.find((form) => form.name === name) as Form],
      say: (line) => t.comment(line),
    })
    t.comment(JSON.stringify(places))
    t.strictSame(faults, [])
  })
}
