/** The search for records that make a unit fail. */
import t from 'tap'
import { bisectRecords } from '../../lib/queue/bisect.js'

const records = Array.from({ length: 1_000 }, (_, index) => `record-${index}`)

t.test('every record that fails alone is found, with few attempts', async (t) => {
  for (const bad of [[], ['record-0'], ['record-999'], ['record-3', 'record-4', 'record-700']]) {
    const decided: string[] = []
    const result = await bisectRecords({
      records,
      fails: async (part) => part.some((record) => bad.includes(record)),
      onFound: (record) => decided.push(record),
    })
    t.strictSame(result.found, bad)
    t.strictSame(decided, bad)
    t.equal(result.unexplained, bad.length === 0 ? 'passes' : null)
    t.ok(result.attempts <= 1 + bad.length * 20)
  }
})

t.test('records that fail only together are not decided', async (t) => {
  const both = ['record-1', 'record-998']
  const result = await bisectRecords({ records, fails: async (part) => both.every((record) => part.includes(record)) })
  t.match(result, { found: [], unexplained: 'together' })
})

t.test('a unit of which everything fails is not decided record by record', async (t) => {
  const result = await bisectRecords({ records, fails: async () => true, foundMax: 3 })
  t.match(result, { found: ['record-0', 'record-1', 'record-2'], unexplained: 'too-many' })
})

t.test('an attempt that says nothing of the records ends the search', async (t) => {
  const fails = async (): Promise<boolean> => {
    throw new Error('server down')
  }
  await t.rejects(bisectRecords({ records, fails }), /server down/)
})
