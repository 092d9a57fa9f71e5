import t from 'tap'
import { comparePositions } from '../../lib/core/types.js'

t.test('a position comes before those below it and after those of earlier blocks', async (t) => {
  t.equal(comparePositions([1, 2], [1, 2, 0]), -1)
  t.equal(comparePositions([2], [1, 9, 9]), 1)
  t.equal(comparePositions([1, 2, 3], [1, 2, 3]), 0)
})
