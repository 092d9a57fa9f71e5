import t from 'tap'
import { estimate } from '../../lib/dedup/banding.js'
import { InvalidOptionError } from '../../lib/errors.js'
import { comparisonForm, murmur128, referenceSign, sketchKeys } from '../../lib/text/kernel/reference-kernel.js'
import { createSigner, type Signer } from '../../lib/text/signature.js'
import { randomBelow } from '../support/random.js'

const seed = Number(process.env.TEST_SEED ?? 20261123)
t.comment(`seed ${seed}`)

function compare(signer: Signer, text: string): string | null {
  const { ngram, signatureLength } = signer
  const fingerprint = new Uint8Array(16)
  const signature = new Uint8Array(signatureLength)
  const letters = signer.sign(text, fingerprint, signature)
  const referenceFingerprint = new Uint8Array(16)
  const referenceSignature = new Uint8Array(signatureLength)
  const keys = sketchKeys(signatureLength, signer.seed)
  const referenceLetters = referenceSign(text, { ngram, keys }, referenceFingerprint, referenceSignature)
  if (letters !== referenceLetters)
    return `${letters} letters, reference ${referenceLetters}: ${JSON.stringify(text).slice(0, 200)}`
  if (Buffer.compare(fingerprint, referenceFingerprint) !== 0)
    return `fingerprint of ${JSON.stringify(text).slice(0, 200)}`
  if (!signature.every((value, k) => value === referenceSignature[k])) return `signature of ${JSON.stringify(text)}`
  return null
}

const hard = [
  '',
  '。',
  '一',
  '一二三四',
  '一二三四五',
  'ＡＢＣ１２３，全角',
  'ｶﾞｷﾞｸﾞ ﾊﾟ ｱﾞ ﾞ',
  'が' + 'か\u3099',
  'ﬁﬂ ﬃ ﷺ ㎡ ½ ① ㈱ ℃ Ⅷ',
  'é e\u0301 q\u0323\u0307 \u0307\u0323',
  '각 \u1100\u1161\u11a8 ㄱㅏ ﾡￂ',
  'ΣΑΣ Σ ΑΣ. İI ſ ß ẞ K Å',
  '😀 👍🏽 1️⃣ 🅰 🀄 🈶 🄐 🇨🇳 👩‍👩‍👧',
  '𠮷野家 𠀀𠀁 𝐀𝟘 𞤀 🯰',
  '\ud83c',
  '\udc00\ud83c',
  '\ud83d一',
  'a\ud800b',
  'ि के हिन्दी ไทย ကြ ස්‍ර',
  '\u200b\u200d\ufe0f\ufeff\u00ad',
  '\u0000\u0001',
]

t.test('the kernel and its reference agree on texts that are hard to fold', async (t) => {
  const signer = await createSigner()
  for (const text of hard) t.equal(compare(signer, text), null, JSON.stringify(text))
})

t.test('every code unit folds as by String.normalize, alone, after a letter and before a mark', async (t) => {
  const signer = await createSigner({ signatureLength: 0 })
  const wrong: string[] = []
  for (let unit = 0; unit < 65536; unit++) {
    const character = String.fromCharCode(unit)
    for (const text of [character, `か${character}`, `ᄀ${character}`, `${character}\u0301`, `${character}\u3099一`]) {
      const form = comparisonForm(text)
      const folded = String.fromCharCode(...signer.form(text))
      if (folded !== form) wrong.push(`${unit.toString(16)}: ${folded} for ${form}`)
    }
  }
  t.same(wrong.slice(0, 10), [])
})

t.test('the code points of emoji and their neighbours fold as by String.normalize', async (t) => {
  const signer = await createSigner({ signatureLength: 0 })
  const wrong: string[] = []
  for (let code = 0x1ee00; code < 0x20010; code++) {
    const text = `${String.fromCodePoint(code)}\u0301${String.fromCodePoint(code)}`
    for (const part of [text, text.slice(0, 2)]) {
      if (String.fromCharCode(...signer.form(part)) !== comparisonForm(part)) wrong.push(code.toString(16))
    }
  }
  t.same(wrong.slice(0, 10), [])
})

t.test('the kernel and its reference agree on random mixtures, for several n-grams, lengths and seeds', async (t) => {
  const random = randomBelow(seed)
  const pools = [
    () => String.fromCharCode(0x4e00 + random(0x5000)),
    () => String.fromCharCode(0x4e00 + random(64)),
    () => '，。！？ \n“”'.charAt(random(8)),
    () => String.fromCharCode(random(65536)),
    () => String.fromCharCode(0x20 + random(0x60)),
    () => String.fromCodePoint(0x10000 + random(0x100000)),
    () => String.fromCodePoint(0x1f000 + random(0xc00)),
    () => String.fromCharCode(0x300 + random(0x70)),
    () => String.fromCharCode(0xff00 + random(0xf0)),
    () => String.fromCharCode(0x3300 + random(0x100)),
    () => hard[random(hard.length)] as string,
  ]
  for (const [ngram, signatureLength, signatureSeed] of [
    [5, 128, 1],
    [5, 20, 7],
    [1, 16, 0xffffffff],
    [24, 3, 2],
    [5, 0, 1],
  ] as const) {
    const signer = await createSigner({ ngram, signatureLength, seed: signatureSeed })
    for (let round = 0; round < 300; round++) {
      const some = Array.from({ length: 1 + random(3) }, () => pools[random(pools.length)] as () => string)
      let text = ''
      for (let left = random(random(10) === 0 ? 3000 : 60); left > 0; left--) text += some[random(some.length)]?.()
      const difference = compare(signer, text)
      if (difference !== null) t.fail(difference)
    }
  }
  t.pass('all compared')
})

t.test('memory grows for a long text, and short ones after it are signed as before', async (t) => {
  const signer = await createSigner({ signatureLength: 16 })
  const random = randomBelow(seed + 1)
  const long = Array.from({ length: 150_000 }, () => String.fromCharCode(0x4e00 + random(20000))).join('')
  t.equal(compare(signer, '甲乙丙丁戊己庚辛'), null)
  t.equal(compare(signer, long), null, 'many tiles of shingles, several pages of memory')
  t.equal(compare(signer, '\ufdfa'.repeat(30_000)), null, 'a form 18 times as long as its text')
  t.equal(compare(signer, '㎏'.repeat(400_000)), null, 'expansions beyond the room that was made for the form')
  t.equal(compare(signer, '甲乙丙丁戊己庚辛'), null)
})

t.test('a text shorter than a shingle has a fingerprint, and a signature in which all bytes are equal', async (t) => {
  const signer = await createSigner({ signatureLength: 32 })
  const signature = new Uint8Array(32)
  const [one, other] = [new Uint8Array(16), new Uint8Array(16)]
  t.equal(signer.sign('你好，世！', one, signature), 3)
  t.ok(signature.every((value) => value === signature[0]))
  signer.sign('你好世界', other, signature)
  t.not(Buffer.compare(one, other), 0)
})

t.test('forms that differ in punctuation, width and case share a fingerprint', async (t) => {
  const signer = await createSigner({ signatureLength: 0 })
  const hex = (text: string) => {
    const fingerprint = new Uint8Array(16)
    signer.sign(text, fingerprint, new Uint8Array(0))
    return Buffer.from(fingerprint).toString('hex')
  }
  t.equal(hex('Ａbc，１２３。'), hex('aBC 123'))
  t.not(hex('abc124'), hex('abc123'))
})

t.test('the share of equal bytes estimates the Jaccard similarity of the shingle sets', async (t) => {
  const signer = await createSigner({ signatureLength: 512 })
  const random = randomBelow(seed + 2)
  const letters = (count: number) =>
    Array.from({ length: count }, () => String.fromCharCode(0x4e00 + random(20000))).join('')
  const shingles = (text: string) => new Set(Array.from({ length: text.length - 4 }, (_, i) => text.slice(i, i + 5)))
  let [squares, bias] = [0, 0]
  const pairs = 60
  for (let pair = 0; pair < pairs; pair++) {
    const shared = letters(100 + random(400))
    const [a, b] = [shared + letters(10 + random(100)), shared + letters(10 + random(100))]
    const [sa, sb] = [shingles(a), shingles(b)]
    const both = [...sa].filter((shingle) => sb.has(shingle)).length
    const exact = both / (sa.size + sb.size - both)
    const signatures = [new Uint8Array(512), new Uint8Array(512)] as const
    signer.sign(a, new Uint8Array(16), signatures[0])
    signer.sign(b, new Uint8Array(16), signatures[1])
    const error = estimate(signatures[0].filter((value, k) => value === signatures[1][k]).length, 512) - exact
    squares += error ** 2 / ((exact * (1 - exact)) / 512)
    bias += error / pairs
  }
  // The variance of a binomial share is 1 in these units; 60 pairs put it within 0.5 … 1.7.
  t.ok(squares / pairs > 0.4 && squares / pairs < 2, `variance ${(squares / pairs).toFixed(2)} of the binomial`)
  t.ok(Math.abs(bias) < 0.01, `bias ${bias.toFixed(4)}`)
})

t.test('the fingerprint is MurmurHash3 x86 128, by its author’s verification value', (t) => {
  // SMHasher's VerificationTest: keys 0 … i−1 with seed 256 − i, the hashes hashed again.
  const hashes = new Uint8Array(256 * 16)
  for (let i = 0; i < 256; i++)
    hashes.set(
      murmur128(
        Uint8Array.from({ length: i }, (_, j) => j),
        256 - i,
      ),
      i * 16,
    )
  t.equal(Buffer.from(murmur128(hashes)).readUInt32LE(0), 0xb3ece62a)
  t.end()
})

t.test('options out of range and a signature of the wrong size are refused', async (t) => {
  await t.rejects(createSigner({ ngram: 0 }), InvalidOptionError)
  await t.rejects(createSigner({ signatureLength: 513 }), InvalidOptionError)
  await t.rejects(createSigner({ seed: -1 }), InvalidOptionError)
  const signer = await createSigner({ signatureLength: 16 })
  t.throws(() => signer.sign('一', new Uint8Array(16), new Uint8Array(8)), InvalidOptionError)
})
