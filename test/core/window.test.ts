import t from 'tap'
import { Ledger, type Mark } from '../../lib/core/ledger.js'
import { endsRoot, Window } from '../../lib/core/window.js'
import { Random, testSeed } from '../support/random.js'

interface Item {
  readonly mark: Mark
}

const places = (items: readonly Item[]) => items.map(({ mark }) => mark.position.join('.'))

/** The leaves of blocks that are split at random, in input order. */
function leavesOf(random: Random, blocks: number, first: number): Item[] {
  const ledger = new Ledger()
  const leaves = (mark: Mark, depth: number): Item[] =>
    depth === 0 || random.chance(0.3)
      ? [{ mark }]
      : ledger.split(mark, random.between(1, 4), 'part').flatMap((child) => leaves(child, depth - 1))
  return Array.from({ length: blocks }, (_, block) => leaves(ledger.open(first + block, 'block'), 3)).flat()
}

t.test('items that are inserted in any order are taken in input order, each as soon as it is next', async (t) => {
  const random = new Random(testSeed())
  t.comment(`seed ${random.seed}`)
  for (let round = 0; round < 50; round++) {
    const leaves = leavesOf(random, 6, 40)
    const expected = places(leaves)
    const shuffled = leaves.map((leaf) => ({ leaf, key: random.between(0, 1e6) })).sort((a, b) => a.key - b.key)
    const window = new Window<Item>(40)
    const taken: Item[] = []
    const inserted = new Set<string>()
    for (const { leaf } of shuffled) {
      if (random.chance(0.5) && window.pass(leaf)) taken.push(leaf)
      else window.insert(leaf)
      inserted.add(places([leaf])[0] as string)
      for (let next = window.take(); next !== null; next = window.take()) taken.push(next)
      const ready = expected.findIndex((place) => !inserted.has(place))
      const due = ready < 0 ? expected.length : ready
      if (taken.length !== due) t.equal(taken.length, due, 'every item before the first missing one')
    }
    t.strictSame(places(taken), expected, `round ${round}`)
    t.equal(window.size, 0)
  }
})

t.test('the last leaf of each block, and no other, ends its block', async (t) => {
  const leaves = leavesOf(new Random(5), 20, 0)
  const ends = leaves.filter(({ mark }) => endsRoot(mark)).map(({ mark }) => mark.position[0])
  t.strictSame(
    ends,
    Array.from({ length: 20 }, (_, block) => block),
  )
})

t.test('two items at one position are an error, whether or not it is the next one', async (t) => {
  const ledger = new Ledger()
  const window = new Window<Item>(0)
  const [next, later] = [ledger.open(0, 'block'), ledger.open(5, 'block')]
  for (const mark of [next, later]) {
    window.insert({ mark })
    t.throws(() => window.insert({ mark }), { code: 'KUN_CONTRACT' }, mark.position.join('.'))
  }
  t.equal(window.pass({ mark: next }), false, 'the one that was inserted is taken first')
  t.equal(window.isNext(next), true)
  t.equal(window.isNext(later), false)
})
