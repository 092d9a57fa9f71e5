import t from 'tap'
import { stagesInFlow } from '../../lib/kun/stage-flow.js'

t.test('built-in stages are in their order, and a column follows the stage whose records it took', async (t) => {
  const stages = {
    chunks: { in: 120, out: 110 },
    dedup: { in: 110, out: 100 },
    difficulty: { in: 150, out: 140 },
    documents: { in: 60, out: 50 },
    domain: { in: 100, out: 80 },
    label: { in: 240, out: 150 },
    notes: { in: 90, out: 90 },
    polish: { in: 95, out: 90 },
    score: { in: 140, out: 95 },
    screen: { in: 80, out: 80 },
  }
  t.strictSame(stagesInFlow(stages), [
    ...['documents', 'chunks', 'dedup', 'domain', 'screen', 'label', 'difficulty', 'score', 'polish', 'notes'],
  ])
  t.strictSame(stagesInFlow({}), [])
})
