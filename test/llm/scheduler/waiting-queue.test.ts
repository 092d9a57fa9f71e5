import t from 'tap'
import { seededRandom } from '../../../lib/core/random.js'
import { comparePositions, type Position } from '../../../lib/core/types.js'
import { UnreleasedRecords, WaitingQueue } from '../../../lib/llm/scheduler/waiting-queue.js'

interface Waiting {
  readonly name: string
  readonly position: Position
  readonly stageOrder: number
  readonly sinceMs: number
}

function queueOf(starveMs: number) {
  const records = new UnreleasedRecords()
  const queue = new WaitingQueue<Waiting>(records, starveMs)
  return {
    records,
    queue,
    add(name: string, position: Position, stageOrder: number, sinceMs = 0) {
      records.add(position)
      queue.push({ name, position, stageOrder, sinceMs }, position, stageOrder, sinceMs)
    },
    next(nowMs = 0): string | null {
      const best = queue.next(nowMs)
      return best !== null && queue.take(best) ? best.value.name : null
    },
  }
}

t.test('The oldest unreleased record goes first, then what starves, then the later stage, then position', (t) => {
  const { add, next, records } = queueOf(1000)
  add('label of 9', [0, 9], 0, 0)
  add('label of 5', [0, 5], 0, 3000)
  add('score of 7', [0, 7, 1], 1, 2500)
  add('score of 6', [0, 6, 0], 1, 3000)
  add('polish of 8', [0, 8, 0], 2, 3000)
  t.equal(next(3100), 'label of 5', 'the oldest record')
  t.equal(next(3100), 'label of 9', 'waited 3.1 s')
  t.equal(next(3100), 'polish of 8')
  t.equal(next(3100), 'score of 6')
  add('label of 6', [0, 6], 0, 3100)
  add('polish of 7', [0, 7, 1], 2, 3100)
  records.releaseUpTo([0, 5])
  t.equal(next(3100), 'label of 6', 'now the oldest')
  t.equal(next(3100), 'polish of 7')
  t.equal(next(3100), 'score of 7')
  t.equal(next(3100), null)
  t.end()
})

t.test('A pair of the oldest chunk counts as the oldest record, and a released one no longer', (t) => {
  const { add, next, records } = queueOf(1e9)
  add('chunk 1', [0, 1], 0)
  t.equal(next(), 'chunk 1')
  add('chunk 2', [0, 2], 0)
  add('pair of 3', [0, 3, 0], 1)
  add('pair of 1', [0, 1, 0], 1)
  t.equal(next(), 'pair of 1')
  records.releaseUpTo([0, 1, 0])
  t.equal(next(), 'chunk 2', 'oldest, though a later stage waits')
  t.end()
})

const seed = 99
t.test(`Any sequence of pushes and takes gives the order of a sorted list (seed ${seed})`, (t) => {
  const random = seededRandom(seed)
  const below = (bound: number) => Math.floor(random() * bound)
  const { add, queue, records } = queueOf(50)
  const waiting: Waiting[] = []
  let oldest: Position[] = []
  let released: Position | null = null
  let wrong = 0
  for (let nowMs = 0; nowMs < 2000; nowMs++) {
    if (random() < 0.55) {
      const position = random() < 0.5 ? [below(40), below(40)] : [below(40), below(40), below(3)]
      const item = { name: `${nowMs}`, position, stageOrder: position.length - 2, sinceMs: nowMs }
      // Ids are asked once, and what was released is not asked again.
      if (released !== null && comparePositions(position, released) <= 0) continue
      if (waiting.some((other) => comparePositions(other.position, position) === 0)) continue
      add(item.name, position, item.stageOrder, nowMs)
      waiting.push(item)
      if (released === null || comparePositions(position, released) > 0) oldest.push(position)
    } else if (random() < 0.9) {
      const best = queue.next(nowMs)
      if ((best === null) !== (waiting.length === 0)) wrong++
      if (best === null) continue
      const expected = bestOf(waiting, oldest, nowMs)
      if (best.value.name !== expected.name) wrong++
      queue.take(best)
      waiting.splice(waiting.indexOf(expected), 1)
    } else {
      // Only what no longer waits can have been released.
      const done = oldest.filter((position) => waiting.every((item) => comparePositions(position, item.position) < 0))
      released = done.sort(comparePositions).at(-1) ?? released
      if (released === null) continue
      records.releaseUpTo(released)
      oldest = oldest.filter((position) => comparePositions(position, released as Position) > 0)
    }
  }
  t.equal(wrong, 0)
  t.equal(queue.size, waiting.length)
  t.end()
})
function bestOf(waiting: readonly Waiting[], unreleased: readonly Position[], nowMs: number): Waiting {
  const head = [...unreleased].sort(comparePositions)[0]
  const rank = (item: Waiting) => {
    if (head?.slice(0, item.position.length).every((value, level) => value === item.position[level])) return 0
    return nowMs - item.sinceMs > 50 ? 1 : 2
  }
  return [...waiting].sort((a, b) => {
    const [left, right] = [rank(a), rank(b)]
    if (left !== right) return left - right
    if (left === 1) return a.sinceMs - b.sinceMs
    return b.stageOrder - a.stageOrder || comparePositions(a.position, b.position)
  })[0] as Waiting
}

t.test('Calls that leave are gone from every line, and prompts that fit are taken together', (t) => {
  const { add, queue, next } = queueOf(1e9)
  for (let n = 0; n < 3000; n++) add(`${n}`, [0, n], n % 2)
  const gone = queue.takeAll((value) => Number(value.name) % 3 === 0)
  t.equal(gone.length, 1000)
  t.equal(queue.size, 2000)
  const more = queue.takeMatching(0, 4, 64, (value) => Number(value.name) % 4 === 0)
  t.strictSame(
    more.map(({ name }) => name),
    ['4', '8', '16', '20'],
  )
  let left = 0
  while (next() !== null) left++
  t.equal(left, 1996)
  t.equal(queue.size, 0)
  t.end()
})
