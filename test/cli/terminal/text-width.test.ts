import stringWidth from 'string-width'
import t from 'tap'
import { graphemesOf, textWidth } from '../../../lib/cli/terminal/text-width.js'
import { Random, testSeed } from '../../support/random.js'

const seed = testSeed()
t.comment(`seed ${seed}`)

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Units whose width is known, their neighbours, and those that combine with the unit before them. */
const edges = [
  0x1f, 0x20, 0x7e, 0x7f, 0xb6, 0xb7, 0x200d, 0x200f, 0x2010, 0x2027, 0x2028, 0x218f, 0x2190, 0x2193, 0x2194, 0x2500,
  0x259f, 0x25a0, 0x2e80, 0x3000, 0x3001, 0x3029, 0x302a, 0x3099, 0x4dff, 0x4e00, 0x9fff, 0xa000, 0xfe0f, 0xff00,
  0xff01, 0xff5e, 0xff5f, 0xff9e, 0x0301, 0x1100, 0x1161, 0xd83d, 0xdc68, 0x23, 0x20e3, 0x1b, 0x5b, 0x6d, 0x31,
]

t.test('every code unit alone is as wide as string-width measures it', async (t) => {
  const differing: string[] = []
  for (let code = 0; code < 0x10000; code++) {
    const text = String.fromCharCode(code)
    if (textWidth(text) !== stringWidth(text)) differing.push(code.toString(16))
  }
  t.same(differing, [])
})

t.test('texts are as wide as string-width measures them, and divided into the same graphemes', async (t) => {
  const random = new Random(seed)
  const differing: string[] = []
  for (let round = 0; round < 5000; round++) {
    const units = Array.from({ length: random.between(0, 8) }, () => {
      if (random.chance(0.5)) return edges[random.between(0, edges.length - 1)] as number
      return random.chance(0.5) ? random.between(0x4e00, 0x9fff) : random.between(0x20, 0x7e)
    })
    const text = String.fromCharCode(...units)
    const graphemes = Array.from(segmenter.segment(text), ({ segment }) => segment)
    const isSame = [...graphemesOf(text)].join('|') === graphemes.join('|')
    if (!isSame || textWidth(text) !== stringWidth(text)) differing.push(JSON.stringify(text))
  }
  t.same(differing, [])
})
