import t from 'tap'
import { benches } from '../../bench/benches.js'

t.jobs = 2

for (const [name, load] of Object.entries(benches)) {
  t.test(`the bench '${name}' runs at smoke size and fills its tables`, async (t) => {
    const { bench } = await load()
    const { tables, aims } = await bench.run({ size: 'smoke', say: () => undefined })
    t.ok(tables.length > 0, 'it has tables')
    for (const { title, rows } of tables) {
      t.ok(rows.length > 0, `'${title}' has rows`)
      const figures = rows.flatMap((row) => Object.values(row)).filter((cell) => typeof cell === 'number')
      t.ok(
        figures.some((figure) => Number.isFinite(figure) && figure !== 0),
        `'${title}' has figures`,
      )
    }
    for (const { what, figure } of aims) t.ok(Number.isFinite(figure), what)
  })
}
