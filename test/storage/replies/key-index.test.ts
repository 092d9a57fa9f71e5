import t from 'tap'
import { replyKey } from '../../../lib/llm/protocol/request-identity.js'
import { KeyIndex } from '../../../lib/storage/replies/key-index.js'
import { Random, testSeed } from '../../support/random.js'

const key = (n: number) => replyKey(`r${n}`, 'label', 0, '{}')

t.test('The index finds every key it was given and no other, in at most 70 bytes a key', (t) => {
  const index = new KeyIndex()
  for (let n = 0; n < 50_000; n++) index.add(key(n), n)
  t.notOk(index.add(key(5), 9))
  let wrong = 0
  for (let n = 0; n < 50_000; n++) if (index.get(key(n)) !== n) wrong++
  for (let n = 50_000; n < 60_000; n++) if (index.get(key(n)) !== -1) wrong++
  t.equal(wrong, 0)
  t.ok(index.bytes / index.size <= 70)
  index.retain((location) => location % 2 === 0)
  t.equal(index.size, 25_000)
  t.equal(index.get(key(1)), -1)
  t.equal(index.get(key(2)), 2)
  t.end()
})

t.test(
  'The index is a map from keys to locations, also where many keys want the same place, at the end of it too',
  (t) => {
    const seed = testSeed()
    t.comment(`seed ${seed}`)
    const random = new Random(seed)
    const index = new KeyIndex()
    const map = new Map<string, number>()
    const crowded = () => {
      const words = Uint32Array.of(0, random.between(0, 3), random.between(0, 99), 7)
      words[0] = random.chance(0.3) ? 0xffffffff - random.between(0, 2) : random.between(0, 4000)
      return new Uint8Array(words.buffer)
    }
    for (let round = 0; round < 40; round++) {
      for (let n = 0; n < 200; n++) {
        const added = crowded()
        const name = Buffer.from(added).toString('hex')
        const location = random.between(0, 999)
        if (index.add(added, location) === map.has(name)) t.fail(`round ${round}: added ${name} twice, or not at all`)
        if (!map.has(name)) map.set(name, location)
      }
      const from = random.between(0, 900)
      index.retain((location) => location < from || location > from + 300)
      for (const [name, location] of map) if (location >= from && location <= from + 300) map.delete(name)
      const wrong = [...map].filter(([name, location]) => index.get(Buffer.from(name, 'hex')) !== location)
      if (wrong.length > 0 || index.size !== map.size) t.fail(`round ${round}: ${wrong.length} wrong of ${map.size}`)
      for (let n = 0; n < 100; n++) {
        const asked = crowded()
        const found = map.get(Buffer.from(asked).toString('hex')) ?? -1
        if (index.get(asked) !== found) t.fail(`round ${round}: found what is not there, or not what is`)
      }
    }
    t.ok(index.size > 100, `${index.size} keys at the end`)
    t.end()
  },
)
