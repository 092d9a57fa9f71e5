import t from 'tap'
import { cuePhrases, labels, listHeadings, menuWords } from '../../lib/text/boilerplate.js'
import { CharacterClass, characterTables } from '../../lib/text/characters.js'
import { codesOf } from '../../lib/text/code-units.js'
import { FurnitureCues } from '../../lib/text/furniture-cues.js'
import { TextMemory } from '../../lib/text/text-memory.js'
import { TextScanner } from '../../lib/text/text-scanner.js'
import { Random, testSeed } from '../support/random.js'
import { referenceSuspects } from './reference-cues.js'
import { ReferenceScanner } from './reference-scanner.js'

const seed = testSeed()
t.comment(`seed ${seed}`)

const pieces = [
  ...'的我中国，。、：“”「」（）【】《》…—　 \t\n\r aZw0"\'`$\\{}[]()<>&#=+*/|^_%@~.:;!?·①→ﬁＡ１のé한😀',
  ...[
    '\n\n',
    '\r\n',
    ' \n ',
    '\n　',
    '  ',
    '。”',
    '？！',
    '——”',
    '」。',
    '。，',
    'www.',
    'http://a.cn/b',
    '：\n',
    ':\n',
    '1. ',
  ],
  ...[
    'Hello world. ',
    'Dr. Li',
    'No. 5',
    'no. a',
    'Approx. ',
    'approximate. ',
    'U. S. ',
    'et al. ',
    '</p>',
    '&lt;',
    '](',
    '[/b]',
  ],
  ...[
    'e\u0301',
    '\ud840\udc00',
    '\ud840',
    '\udc00',
    '\ud834\udd5e',
    '\u200b',
    '\ufeff',
    '\u0000',
    '\u2028',
    '\u00a0',
    '⼀',
  ],
]
const words = [...cuePhrases, ...labels, ...listHeadings, ...menuWords]

function randomText(random: Random): string {
  const few = Array.from({ length: random.between(1, 8) }, () => pieces[random.between(0, pieces.length - 1)] as string)
  const pool = random.chance(0.5) ? few : pieces
  const piece = () => {
    if (random.chance(0.1)) return String.fromCharCode(random.between(0x4e00, 0x9fff)).repeat(random.between(1, 60))
    if (random.chance(0.03)) return words[random.between(0, words.length - 1)] as string
    return random.chance(0.01)
      ? String.fromCharCode(random.between(0, 0xffff))
      : pool[random.between(0, pool.length - 1)]
  }
  return Array.from({ length: random.between(0, 80) }, piece).join('')
}

function figuresOf(scanner: TextScanner | ReferenceScanner) {
  const { length, lines, counts, urlChars, indents, hasMarkupCue, units } = scanner
  const column = (values: Int32Array | Uint8Array) => [...values.subarray(0, units.count)]
  return {
    ...{
      length,
      lines,
      urlChars,
      indents,
      hasMarkupCue,
      counts: [...counts],
      codes: [...scanner.codes.subarray(0, length)],
    },
    lineStart: [...scanner.lineStart.subarray(0, lines)],
    lineFrom: [...scanner.lineFrom.subarray(0, lines)],
    ...{ start: column(units.start), end: column(units.end), rank: column(units.rank) },
    ...{ tokens: column(units.centiTokens), savedStart: column(units.savedStart), savedEnd: column(units.savedEnd) },
  }
}

t.test('The kernel scans a text as the reference in TypeScript does, with and without indentation', async (t) => {
  const tables = characterTables()
  const [scanner, reference] = [new TextScanner(new TextMemory(), tables), new ReferenceScanner(tables)]
  const random = new Random(seed)
  for (let round = 0; round < 1500; round++) {
    const text = codesOf(randomText(random))
    const classes = round % 3 === 0 ? tables.classes : tables.settledClasses
    scanner.open(text, classes)
    reference.open(text, classes)
    const scanned = reference.scan()
    if (scanner.scan() !== scanned) t.fail(`round ${round}: one of them composes`)
    if (!scanned) continue
    t.same(figuresOf(scanner), figuresOf(reference))
    const indented = Uint8Array.from({ length: reference.lines }, () => (random.chance(0.5) ? 1 : 0))
    scanner.scanIndented(indented)
    reference.scanIndented(indented)
    t.same(figuresOf(scanner), figuresOf(reference))
  }
})

t.test('The kernel suspects the lines that the reference in TypeScript suspects', async (t) => {
  const memory = new TextMemory()
  const [scanner, cues] = [new TextScanner(memory, characterTables()), new FurnitureCues(memory)]
  const random = new Random(seed)
  const { asciiPunctuation, symbol } = CharacterClass
  for (let round = 0; round < 1500; round++) {
    scanner.open(randomText(random), characterTables().settledClasses)
    scanner.scan()
    if (random.chance(0.3)) scanner.scanIndented(new Uint8Array(scanner.lines).fill(1))
    const { counts, lines, lineStart, length } = scanner
    const codes = scanner.codes.subarray(0, length)
    const mayHaveBars = counts[asciiPunctuation] + counts[symbol] >= 2
    const expected = referenceSuspects({ codes, length, lines, lineStart }, mayHaveBars)
    const any = cues.find(scanner)
    t.same({ any, lines: [...cues.lines.subarray(0, cues.count)] }, { any: expected.any, lines: expected.lines })
  }
})

t.test('A text in memory that grows while it is opened is given back', async (t) => {
  const memory = new TextMemory()
  const scanner = new TextScanner(memory, characterTables())
  memory.reserveBlock(100_000)
  memory.plain.view.fill(0x3002, 0, 100_000)
  const opened = scanner.open(memory.plain.view.subarray(0, 100_000), characterTables().classes)
  t.equal(opened, '。'.repeat(100_000))
})
