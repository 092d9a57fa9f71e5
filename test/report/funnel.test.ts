import t from 'tap'
import { funnelLines } from '../../lib/report/funnel.js'

t.test('reasons wrap below the first one, and none is cut', async (t) => {
  const dropped = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`reason-number-${n}`, 1_000 - n]))
  const stages = {
    documents: { in: 20_000, out: 8_066, dropped, failed: 0 },
    label: { in: 8_066, out: 8_060, dropped: {}, failed: 6 },
  }
  for (const columns of [64, 80, 120]) {
    const lines = funnelLines({ train: { rows: 8_060, stages } }, columns)
    for (const line of lines) t.ok(line.length <= columns, `${line.length} of ${columns}: ${line}`)
    for (const [reason, count] of Object.entries(dropped))
      t.match(lines.join('\n'), `${reason} ${count.toLocaleString('en-US')}`)
    const [first, second] = lines.filter((line) => line.includes('reason-number'))
    t.equal(first?.indexOf('reason'), second?.indexOf('reason'), 'the second line begins below the first reason')
    t.match(lines.at(-2), /label +8,066 → +8,060 {3}failed 6$/)
    t.match(lines.at(-1), /rows +8,060 {3}train 8,060$/)
  }
})
