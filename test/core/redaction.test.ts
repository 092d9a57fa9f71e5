import t from 'tap'
import { Redaction, secretsOfHeaders, secretsOfUrl } from '../../lib/core/redaction.js'
import { Random, testSeed } from '../support/random.js'

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
const signs = '-_.~+/=!@#$%^&*()?:;,<>"\'\\{}[]| '

/** What may stand in a key or a password: mostly letters, some of what must be escaped somewhere. */
function randomSecret(random: Random): string {
  const pick = (from: string) => from[random.between(0, from.length - 1)] as string
  const chars = Array.from({ length: random.between(8, 60) }, () => pick(random.chance(0.2) ? signs : letters))
  return `k${chars.join('').trim()}z`
}

const unit = (char: string) => char.charCodeAt(0)
const hex = (char: string, digits: number, random: Random) => {
  const text = unit(char).toString(16).padStart(digits, '0')
  return random.chance(0.5) ? text.toUpperCase() : text
}
type Form = (char: string, random: Random) => string
const characterForms: Form[] = [
  (char, random) => `\\u${hex(char, 4, random)}`,
  (char, random) => `%${hex(char, 2, random)}`,
  (char, random) => `&#x${hex(char, 2, random)};`,
  (char) => `&#${unit(char)};`,
  (char, random) => `\\x${hex(char, 2, random)}`,
]
/** Some characters escaped in one way, those that must be and others by chance. */
const escapedBy =
  (form: Form) =>
  (text: string, random: Random): string =>
    [...text].map((char) => (/\w/.test(char) && random.chance(0.6) ? char : form(char, random))).join('')

type Encoding = (text: string, random: Random) => string
const base64 = (text: string, random: Random) =>
  Buffer.from('user:'.slice(0, random.between(0, 5)) + text + 'ab'.slice(0, random.between(0, 2)))
const brokenUp: Encoding = (text, random) =>
  text.replace(/.{7}/, (start) => start + (random.chance(0.5) ? '\n' : '\u200b'))
const encodings: Encoding[] = [
  (text) => text,
  (text) => (text.includes('\\') ? text : text.toUpperCase()),
  (text) => JSON.stringify(text),
  (text) => JSON.stringify(text).replaceAll('/', '\\/'),
  encodeURIComponent,
  (text) => encodeURIComponent(text).replaceAll('%20', '+'),
  (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  (text, random) => base64(text, random).toString('base64'),
  (text, random) => base64(text, random).toString('base64url'),
  (text) => Buffer.from(text).toString('hex'),
  brokenUp,
  ...characterForms.map(escapedBy),
]

/** What a person who knows every escape could read in a text. */
function readable(text: string): string[] {
  const all = [text]
  for (let round = 0; round < 6; round++) {
    const next = (all.at(-1) as string)
      .replace(/\\u([0-9a-f]{4})|%([0-9a-f]{2})|&#x([0-9a-f]+);|\\x([0-9a-f]{2})/gi, (_, ...groups) =>
        String.fromCharCode(Number.parseInt(groups.find((group) => typeof group === 'string') as string, 16)),
      )
      .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
      .replaceAll(/\\(["\\/])/g, '$1')
      .replaceAll(/[\n\u200b]/g, '')
    all.push(next)
  }
  const runs = (text.match(/[\w+/-]{8,}/g) ?? []).flatMap((run) => [
    Buffer.from(run, 'base64').toString('latin1'),
    Buffer.from(run, 'hex').toString('latin1'),
  ])
  return [...all, ...runs]
}

t.test(
  'A secret is removed from a text however it is escaped, also twice, and the rest of the text stays',
  async (t) => {
    const random = new Random(testSeed())
    const around = ['{"error":{"message":"Incorrect API key provided: ', '"}}'] as const
    for (let round = 0; round < 3000; round++) {
      const secret = randomSecret(random)
      const redaction = new Redaction([secret, 'another-secret-of-the-run'])
      const first = encodings[random.between(0, encodings.length - 1)] as Encoding
      const second =
        first !== brokenUp && random.chance(0.4)
          ? (encodings[random.between(2, 6)] as Encoding)
          : (text: string) => text
      const written = second(first(secret, random), random)
      const clean = redaction.text(around[0] + written + around[1])
      const shown = `seed ${random.seed}, ${JSON.stringify(secret)} as ${written} left ${clean}`
      const found = readable(clean).some((text) => text.toLowerCase().includes(secret.toLowerCase()))
      if (found || !clean.startsWith(around[0]) || !clean.includes('***')) {
        t.fail(shown)
        return
      }
    }
    t.pass()
  },
)

t.test('A secret that holds a backslash is removed also when it is broken up beside it', async (t) => {
  const redaction = new Redaction(['k5jA#]\\\\fctkey/LTuG'])
  for (const sign of ['\u200b', '\n', '\\u200b', '\u2060\r\n']) {
    t.equal(redaction.text(`key k5jA#]\\${sign}\\fctkey/LTuG.`), 'key ***.', JSON.stringify(sign))
  }
})

t.test('A text without a secret is the same string, whatever escapes it has', async (t) => {
  const random = new Random(testSeed())
  const redaction = new Redaction(['sk-9f3a71c2e4b85d60', 'pass wörd/7c1e'])
  const pieces = ['竹子', 'sk-', '9f3a6', '\\u0073', '%73', '&#115;', '\n', 'pass w', '…', '"', '=41', 'a+b/c=', '\\\\']
  for (let round = 0; round < 3000; round++) {
    const text = Array.from({ length: 12 }, () => pieces[random.between(0, pieces.length - 1)]).join('')
    if (redaction.text(text) !== text) {
      t.fail(`seed ${random.seed}: ${text} became ${redaction.text(text)}`)
      return
    }
  }
  const value = { text: ['好', { finish: 'stop' }], tokens: 3 }
  t.equal(redaction.value(value), value)
  t.strictSame(redaction.value({ text: ['sk\\u002D9f3a71c2e4b85d60'] }), { text: ['***'] })
})

t.test('The beginning of a secret at the end of a text that was cut off is removed as well', async (t) => {
  const redaction = new Redaction(['sk-9f3a71c2e4b85d60'])
  t.equal(redaction.text('Incorrect API key: sk-9f3a71c2e4'), 'Incorrect API key: ***')
  t.equal(redaction.text('Incorrect API key: sk-9f3a71c2e4…'), 'Incorrect API key: ***…')
  t.equal(redaction.text('Incorrect API key: sk%2d9f3a71c2e4'), 'Incorrect API key: ***')
  t.equal(redaction.text('keys begin with sk-9f'), 'keys begin with sk-9f')
})

t.test('A short value is removed from server messages where it is a whole word, and never from a reply', async (t) => {
  const redaction = new Redaction(['abc', 'tok-123', 'EMPTY'])
  t.equal(redaction.text('abc EMPTY tok-123'), 'abc EMPTY tok-123')
  t.equal(redaction.words('key tok-123, EMPTY, not EMPTYING, nor abc'), 'key ***, ***, not EMPTYING, nor abc')
})

t.test(
  'Secrets of headers and addresses: values, what follows a scheme, pairs, cookies, passwords, queries',
  async (t) => {
    const pair = Buffer.from('me:pass/word').toString('base64')
    const found = secretsOfHeaders({ authorization: `Basic ${pair}`, 'X-Org': 'org-1', Accept: 'application/json' })
    t.ok([pair, 'pass/word', 'me:pass/word', 'org-1'].every((secret) => found.includes(secret)))
    t.notOk(found.includes('application/json'))
    t.ok(secretsOfHeaders({ cookie: 'sid=abcdef12; t=xyz' }).includes('abcdef12'))
    t.ok(secretsOfHeaders({ authorization: 'Bearer sk-1234567' }).includes('sk-1234567'))
    t.ok(secretsOfUrl('https://me:p%2Fq@h/v1?api-key=qwertyui').includes('p/q'))
    t.ok(secretsOfUrl('https://me:p%2Fq@h/v1?api-key=qwertyui').includes('qwertyui'))
    t.ok(secretsOfUrl('https://token-in-user@h/v1').includes('token-in-user'))
  },
)
