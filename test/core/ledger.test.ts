import t from 'tap'
import { Ledger, type Mark } from '../../lib/core/ledger.js'

t.test('a mark returns what it holds when the last leaf below it is settled, and not before', async (t) => {
  const ledger = new Ledger()
  const returned: string[] = []
  const block = ledger.open(7, 'block')
  ledger.hold(block, () => returned.push('block'))
  const [first, second] = ledger.split(block, 2, 'record') as [Mark, Mark]
  ledger.hold(second, () => returned.push('record 1'))
  const pairs = ledger.split(second, 2, 'pair')
  t.strictSame(
    pairs.map(({ position, isLast }) => [position.join('.'), isLast]),
    [
      ['7.1.0', false],
      ['7.1.1', true],
    ],
  )
  ledger.settle(pairs[1] as Mark)
  ledger.settle(pairs[0] as Mark)
  t.strictSame(returned, ['record 1'])
  ledger.settle(first)
  t.strictSame(returned, ['record 1', 'block'])
  t.equal(ledger.inFlight(), 0)
})

t.test('at every step a unit has as many opened marks as settled, split and open ones', async (t) => {
  const ledger = new Ledger()
  const check = (open: number, units: Record<string, [number, number, number]>) => {
    t.equal(ledger.inFlight(), open)
    for (const [unit, [opened, split, settled]] of Object.entries(units)) {
      t.strictSame(ledger.units().get(unit), { opened, split, settled }, unit)
    }
  }
  const blocks = [ledger.open(0, 'block'), ledger.open(1, 'block')] as const
  check(2, { block: [2, 0, 0] })
  const records = ledger.split(blocks[0], 3, 'record')
  check(4, { block: [2, 1, 0], record: [3, 0, 0] })
  ledger.settle(blocks[1])
  check(3, { block: [2, 1, 1], record: [3, 0, 0] })
  for (const record of records) ledger.settle(record)
  check(0, { block: [2, 1, 1], record: [3, 0, 3] })
})

t.test('a mark that is settled or split twice is an error that names its position', async (t) => {
  const ledger = new Ledger()
  const block = ledger.open(3, 'block')
  t.throws(() => ledger.split(block, 0, 'record'), { message: /a block was split into 0 records/ })
  const [record] = ledger.split(block, 1, 'record') as [Mark]
  t.throws(() => ledger.split(block, 1, 'record'), { code: 'KUN_CONTRACT', message: /^block 3 was split after/ })
  t.throws(() => ledger.settle(block), { message: /^block 3 was settled before/ })
  ledger.settle(record)
  t.throws(() => ledger.settle(record), { message: /^record 3\.0 was settled twice/ })
  t.throws(() => ledger.hold(record, () => undefined), { message: /^record 3\.0 cannot hold anything/ })
  t.throws(() => ledger.split(record, 1, 'pair'), { message: /^record 3\.0 was split after/ })
})
