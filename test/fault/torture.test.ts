import { join } from 'node:path'
import t from 'tap'
import { testSeed } from '../support/random.js'
import { torture } from '../torture/torture.js'

// Many whole runs: on a machine that is busy with others they take their time.
t.setTimeout(600_000)

t.test('killed here and there, a run ends as one from its replies alone, and asks for nothing twice', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}; the long form is npm run torture`)
  const { kills, places, faults, requests } = await torture({
    kills: 10,
    killsPerRun: 10,
    seed,
    directory: join(t.testdir(), 'torture'),
    say: (line) => t.comment(line),
  })
  t.comment(JSON.stringify(places))
  t.strictSame(faults, [])
  t.ok(kills >= 8, `${kills} kills`)
  t.ok(requests > 100, `${requests} requests`)
})
