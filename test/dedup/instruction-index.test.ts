import t from 'tap'
import { InstructionIndex } from '../../lib/dedup/instruction-index.js'
import { Random, testSeed } from '../support/random.js'

t.test('equal after normalising: width, case, blanks and punctuation do not count', async (t) => {
  const index = await InstructionIndex.open(false)
  t.equal(index.add('如何种植竹子？'), null)
  t.strictSame(index.add('  如何种植，竹子 '), { of: 0, similarity: null })
  t.equal(index.add('如何种植竹子最好？'), null)
  t.equal(index.add('什么是 GPU?'), null)
  t.strictSame(index.add('什么是ｇｐｕ？'), { of: 2, similarity: null })
  index.clear()
  t.equal(index.add('如何种植竹子？'), null, 'after clear nothing is known')
})

t.test('alike: a changed word in a long instruction, not another subject in the same frame', async (t) => {
  const index = await InstructionIndex.open(true)
  const long =
    '请用通俗的语言向一名初中生解释光合作用的过程，说明它需要哪些条件、产生哪些物质，并举出两个生活中的例子。'
  t.equal(index.add(long), null)
  const near = index.add(long.replace('两个', '三个'))
  t.equal(near?.of, 0)
  t.ok(near !== null && near.similarity !== null && near.similarity >= 0.8)
  t.equal(index.add('请介绍一下北京的历史。'), null)
  t.equal(index.add('请介绍一下上海的历史。'), null)
  t.equal(index.add('？'), null)
  t.strictSame(index.add('！'), { of: 3, similarity: null })
})

t.test('thousands of instructions: every near copy is found, and the first stays', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}`)
  const random = new Random(seed)
  const letter = () => String.fromCharCode(random.between(0x4e00, 0x9fa0))
  const text = () => Array.from({ length: random.between(50, 90) }, letter).join('')
  const firsts = Array.from({ length: 3000 }, text)
  const index = await InstructionIndex.open(true)
  for (const first of firsts) t.equal(index.add(first), null)
  let found = 0
  for (const [number, first] of firsts.entries()) {
    const like = index.add(`${first.slice(0, -1)}${letter()}`)
    if (like?.of === number) found++
  }
  t.ok(found > 2980, `${found} of 3000`)
})
