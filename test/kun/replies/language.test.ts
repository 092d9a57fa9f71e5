import t from 'tap'
import { characters, hanShare, kanaShare } from '../../../lib/kun/replies/language.js'
import { generator } from '../../../lib/simulator/random.js'

/** As the functions are defined: by code points. */
function reference(text: string) {
  const points = [...text]
  const isHan = (point: string) => /[\u3400-\u4dbf\u4e00-\u9fff\u{20000}-\u{3134f}]/u.test(point)
  const han = points.filter(isHan).length
  const latin = (point: string) => (point < '\x80' ? /[A-Za-z]/.test(point) : /\p{L}/u.test(point))
  const letters = points.filter((point) => isHan(point) || latin(point)).length
  const kana = points.filter((point) => /[\u3041-\u30fa\u30fc-\u30ff\uac00-\ud7a3]/.test(point)).length
  return {
    han: letters === 0 ? 0 : han / letters,
    kana: kana === 0 ? 0 : kana / (kana + han),
    characters: points.length,
  }
}

t.test('shares and lengths count code points, and surrogates without a partner as one each', (t) => {
  const seed = Date.now() & 0xffff
  t.comment(`seed ${seed}`)
  const random = generator(seed)
  const parts = [
    '水往低处流',
    '𠀀',
    '𝕏',
    '👍🏽',
    '\ud800',
    '\udc00',
    'カナ',
    '・',
    '한국',
    'ab',
    'é',
    '，',
    '9',
    '豈',
    '\u0300',
  ]
  for (let round = 0; round < 3_000; round++) {
    const count = Math.floor(random() * 12)
    const text = Array.from({ length: count }, () => parts[Math.floor(random() * parts.length)]).join('')
    const found = { han: hanShare(text), kana: kanaShare(text), characters: characters(text) }
    const expected = reference(text)
    if (JSON.stringify(found) === JSON.stringify(expected)) continue
    t.fail('another count', { codes: [...text].map((point) => point.codePointAt(0)), found, expected })
    break
  }
  t.end()
})
