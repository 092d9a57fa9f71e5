import { join } from 'node:path'
import t from 'tap'
import { testSeed } from '../support/random.js'
import { type Form, forms } from '../torture/forms.js'
import { torture } from '../torture/torture.js'

// Many whole runs: on a machine that is busy with others they take their time.
t.setTimeout(600_000)

const root = t.testdir()

/** In phases and discarding at once: each of the two alone is in the long form. Columns: three variants and the measures. */
for (const [name, kills] of [
  ['plain', 5],
  ['phases, discard', 10],
  ['columns', 4],
] as const) {
  t.test(
    `killed here and there (${name}), a run ends as one from its replies alone, and asks nothing twice`,
    async (t) => {
      const seed = testSeed()
      t.comment(`seed ${seed}; the long form is npm run torture`)
      const { places, faults, requests, ...report } = await torture({
        kills,
        killsPerRun: kills,
        seed,
        directory: join(root, name),
        forms: [forms.find((form) => form.name === name) as Form],
        say: (line) => t.comment(line),
      })
      t.comment(JSON.stringify(places))
      t.strictSame(faults, [])
      t.equal(report.kills, kills)
      t.ok(Object.keys(places).length > 3, 'in several places')
      t.ok(requests > 100, `${requests} requests`)
    },
  )
}
