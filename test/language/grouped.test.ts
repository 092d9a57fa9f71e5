import t from 'tap'
import { grouped } from '../../lib/language/grouped.js'

t.test('a number is grouped as Intl groups it, in English', async (t) => {
  const numbers = [0, 7, 12, 999, 1000, 12_345, 999_999, 1_000_000, Number.MAX_SAFE_INTEGER, 0.5, 1234.5678, 2 ** 60]
  for (const number of numbers) {
    t.equal(grouped(number), number.toLocaleString('en-US'))
    if (number > 0) t.equal(grouped(-number), (-number).toLocaleString('en-US'))
  }
})
