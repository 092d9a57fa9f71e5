import { Buffer } from 'node:buffer'
import t from 'tap'
import { CharacterClass } from '../../lib/text/characters.js'
import { chunkText } from '../../lib/text/chunk.js'
import { type CleanText, cleanString, createCleaner } from '../../lib/text/clean.js'
import { codesToString } from '../../lib/text/code-units.js'
import { TextMemory } from '../../lib/text/text-memory.js'
import { tokenFamilies } from '../../lib/text/token-families.js'
import { UnitEnd } from '../../lib/text/units.js'
import { Random, testSeed } from '../support/random.js'
import { article } from './support.js'

const cleaner = createCleaner()
/** As a title: without cutting furniture. */
const clean = (text: string) => cleanString(cleaner, text)
const cleanText = (text: string) => {
  const { codes, length } = cleaner(text)
  return codesToString(codes, 0, length)
}

t.test(
  'Visible text is kept: punctuation, paragraphs, rare ideographs; invisible characters are removed',
  async (t) => {
    const cases: readonly (readonly [string, string, string])[] = [
      ['Chinese punctuation is the author’s', '他说：“好！”（笑）——《书》……', '他说：“好！”（笑）——《书》……'],
      ['full-width letters and digits become ordinary', 'ＡＢＣ１２３，ｘｙｚ！', 'ABC123，xyz！'],
      [
        'zero-width, byte order mark, bidi and control characters',
        '\ufeff天\u200b地\u202e玄\u0007黄\u00ad',
        '天地玄黄',
      ],
      ['blanks of any kind are one', '天\u3000\u3000地\t\u00a0玄', '天 地 玄'],
      ['blanks at line ends and starts', '\u3000\u3000天地 \n  玄黄\t\n', '天地\n玄黄'],
      ['line ends of any kind', '一\r\n二\r三\u2028四\u0085五', '一\n二\n三\n四\n五'],
      ['paragraphs stay apart, by one blank line', '\n\n一\n\n\n\n二\r\n\r\n三\n四\n', '一\n\n二\n\n三\n四'],
      ['a byte order mark inside a line end', '一\r\u200b\n二', '一\n二'],
      ['compatibility ideographs become the unified', '\uf900更\u{2f800}', '豈更丽'],
      ['radicals written for the ideograph', '⼈⼝⻟', '人口⻟'],
      ['combining marks join', 'cafe\u0301 e\u200b\u0301 Ａ\u0301', 'café é Á'],
      ['ligatures are written out', 'eﬃcient ﬁle', 'efficient file'],
      ['circled digits and units mean more than their letters', '①㎡㈱', '①㎡㈱'],
      ['lone surrogates', '天\ud800地\udc00玄\ud83d', '天地玄'],
      ['pairs stay', '😀𠀀𝒜', '😀𠀀𝒜'],
      ['nothing', '', ''],
      ['nothing visible', ' \n\u200b\u3000\r\n', ''],
    ]
    for (const [title, text, expected] of cases) t.equal(clean(text), expected, title)
  },
)

/** The same by regular expressions, one after the other: slow and plain. */
function plainClean(text: string): string {
  const invisible =
    /(?![\t-\r\x85])\p{Cc}|[\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufdd0-\ufdef\ufeff\ufff0-\ufffb\ufffe\uffff]/gu
  return text
    .replace(/\p{Cs}/gu, '')
    .replace(invisible, '')
    .replace(/[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\ufb00-\ufb06\u2f00-\u2fd5]/g, (c) => c.normalize('NFKC'))
    .normalize('NFC')
    .replace(/\r\n|[\r\x85\u2028\u2029]/g, '\n')
    .replace(/[\t\v\f\p{Zs}]+/gu, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^[\n ]+|[\n ]+$/g, '')
}

const alphabet = [
  ...'天地玄黄宇宙洪荒版权所有，。！？；：、“”（）《》…—"\'.,!?:;()[]{}wWaéZ0 9\t\n\n\r\u3000\u00a0\u200b\ufeff\u2028\u0301\u0308',
  ...'Ａｚ０９！⼈\uf900ﬁ😀𠀀𝒜\u{2f800}①㎡アガ\u3099한ᄒ\u1161\u11a8\u0007',
  '\ud800',
  '\udfff',
  '版权所有',
  'http://a.cn/b ',
  'www.x.cn',
]

/** For a report that invisible characters do not break. */
function escaped(text: string): string {
  return text.replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function randomText(random: Random, charsMax: number): string {
  const length = random.between(0, charsMax)
  return Array.from({ length }, () => alphabet[random.between(0, alphabet.length - 1)]).join('')
}

t.test(
  'The one pass does what regular expressions do one after the other, and doing it twice changes nothing',
  async (t) => {
    const seed = testSeed()
    t.comment(`KUN_SEED=${seed}`)
    const random = new Random(seed)
    for (let round = 0; round < 4000; round++) {
      // Without links of Markdown, whose marks are taken out: test/text/markup.test.ts.
      const text = randomText(random, round % 100 === 0 ? 6000 : 40).replace(
        /\](?:[\u200b\ufeff]|\p{Cc}|\p{Cs})*\(/gu,
        '] (',
      )
      const found = clean(text)
      const fault = unitFault(cleaner(text, true), random) ?? unitFault(cleaner(text), random)
      if (found === plainClean(text) && clean(found) === found && fault === null) continue
      t.equal(escaped(found), escaped(plainClean(text)), escaped(text))
      t.equal(escaped(clean(found)), escaped(found), `again: ${escaped(text)}`)
      t.equal(fault, null, escaped(text))
      return
    }
    t.pass('4000 texts')
  },
)

function unitFault(text: CleanText, random: Random): string | null {
  const { units, codes } = text
  const all = codesToString(codes, 0, text.length)
  if (units.count === 0) return all === '' ? null : 'no units'
  let before = 0
  for (let unit = 0; unit < units.count; unit++) {
    const [start, end] = [units.start[unit] as number, units.end[unit] as number]
    if (!/^[ \n\t\u3000]*$/.test(all.slice(before, start))) return `text between units at ${before}`
    if (start >= end || all.slice(start, end).trim() !== all.slice(start, end)) return `unit ${unit} is blank at an end`
    before = end
  }
  if (before !== all.length) return 'text after the last unit'
  const first = random.between(0, units.count - 1)
  const last = random.between(first, units.count - 1)
  const [start, end] = [units.start[first] as number, units.end[last] as number]
  const bytes = 3 * (end - start) - ((units.savedEnd[last] as number) - (units.savedStart[first] as number))
  if (bytes !== Buffer.byteLength(all.slice(start, end))) return `bytes of units ${first} to ${last}`
  const lines = all === '' ? [] : all.split(/\n+/)
  return text.lines === lines.length ? null : `${text.lines} lines of ${lines.length}`
}

function unitsOf(text: string): [string, number][] {
  const { units, codes } = cleaner(text)
  return Array.from({ length: units.count }, (_, unit) => [
    codesToString(codes, units.start[unit] as number, units.end[unit] as number),
    units.rank[unit] as number,
  ])
}

t.test('Sentences end where a reader expects it', async (t) => {
  const { heading, sentence, line, blankLine } = UnitEnd
  t.same(unitsOf('他问：“去吗？”她说：“去！”然后走了。'), [
    ['他问：“去吗？”', sentence],
    ['她说：“去！”', sentence],
    ['然后走了。', line],
  ])
  t.same(unitsOf('圆周率是3.14。Pi is 3.14. It is not 3. See "this." Then go'), [
    ['圆周率是3.14。', sentence],
    ['Pi is 3.14. It is not 3. See "this." Then go', line],
  ])
  t.same(unitsOf('It works well. So we keep it.'), [
    ['It works well.', sentence],
    ['So we keep it.', line],
  ])
  t.same(unitsOf('第一章\n从前有座山。\n\n山里有座庙：\n庙里有个和尚'), [
    ['第一章', heading],
    ['从前有座山。', blankLine],
    ['山里有座庙：', heading],
    ['庙里有个和尚', heading],
  ])
})

t.test('Characters are counted by class; URLs, furniture and boilerplate lines by their code units', async (t) => {
  const { counts, urlChars, furnitureChars, boilerplateChars } = cleaner(
    '看 http://a.cn/b?c=1 和www.x.cn。\n版权所有 某某公司\n他请先登录再看正文12个',
  )
  t.equal(urlChars, 'http://a.cn/b?c=1'.length + 'www.x.cn'.length)
  t.equal(furnitureChars, '版权所有 某某公司\n'.length)
  t.equal(boilerplateChars, '他请先登录再看正文12个'.length)
  t.equal(counts[CharacterClass.digit], 3)
  t.equal(counts[CharacterClass.newline], 1)
  const prose = `${'这是一段很长的正文，它只是提到了版权所有这四个字而已，'.repeat(5)}完。`
  t.equal(cleaner(prose).boilerplateChars, 0, 'a long line that mentions a phrase is prose')
})

const chunksOf = (text: string, tokensMax: number, exact: ((text: string) => number) | null = null) => {
  const page = cleaner(text)
  return chunkText(page, 0, { tokensMax, family: 'qwen', exact }).map((piece) => ({
    ...piece,
    text: codesToString(page.codes, piece.start, piece.end),
  }))
}

/** Returns the limit under which a chunk has as many estimated tokens: chunks are shorter, for the tokenizer may count more. */
const limitFor = (tokens: number) => Math.ceil((tokens * tokenFamilies.qwen.most) / tokenFamilies.qwen.median)

t.test('Chunks cover the text, keep the budget, and end at sentence ends', async (t) => {
  const seed = testSeed()
  t.comment(`KUN_SEED=${seed}`)
  const random = new Random(seed)
  for (let round = 0; round < 400; round++) {
    const prose = round % 2 === 0
    const text = prose ? article(round, random.between(1, 60)) : randomText(random, 800)
    const tokensMax = random.between(prose ? 64 : 16, 300)
    const all = cleanText(text)
    const faults: string[] = []
    let before = 0
    for (const { start, end, tokens, bytes, text: chunk } of chunksOf(text, tokensMax)) {
      if (!/^[ \n\t\u3000]*$/.test(all.slice(before, start))) faults.push(`text is lost before ${start}`)
      if (tokens > tokensMax) faults.push(`${tokens} tokens of ${tokensMax}: ${chunk}`)
      if (bytes !== Buffer.byteLength(chunk)) faults.push(`${bytes} bytes: ${chunk}`)
      if (prose && !chunk.endsWith('。')) faults.push(`cut inside a sentence: ${chunk}`)
      before = end
    }
    if (before !== all.length) faults.push('text is lost at the end')
    if (faults.length === 0) continue
    t.same(faults.map(escaped), [], escaped(text))
    return
  }
  t.pass('400 texts')
})

t.test(
  'Paragraph ends are taken before sentence ends, headings stay with what follows, the last two share',
  async (t) => {
    const paragraph = (index: number) => article(index, 2).replaceAll('\n', '')
    const tokens = (text: string) => chunksOf(text, 100_000)[0]?.tokens ?? 0
    const two = tokens(`${paragraph(1)}\n${paragraph(2)}`)
    const six = [1, 2, 3, 4, 5, 6].map(paragraph).join('\n')
    t.same(
      chunksOf(six, limitFor(two + 10)).map(({ text }) => text.split('\n').length),
      [2, 2, 2],
    )
    const headed = [1, 2, 3, 4].map((index) => `第${index}节\n${paragraph(index)}`).join('\n')
    for (const { text } of chunksOf(headed, limitFor(two + 25))) t.match(text, /^第\d节\n/, text.slice(0, 12))
    const long = article(9, 12).replaceAll('\n', '')
    const halves = chunksOf(long, limitFor(tokens(long) * 0.9)).map((chunk) => chunk.tokens)
    t.equal(halves.length, 2)
    t.ok(Math.abs((halves[0] ?? 0) - (halves[1] ?? 0)) < tokens(long) * 0.15, `${halves}`)
  },
)

t.test(
  'Only a sentence over the budget is cut inside, at clauses, and never in the middle of a character',
  async (t) => {
    const clauses = `${Array.from({ length: 40 }, (_, index) => `这是第${index}个分句`).join('，')}。`
    const chunks = chunksOf(clauses, 50)
    t.ok(chunks.length > 5)
    for (const { text } of chunks.slice(0, -1)) t.match(text, /，$/)
    const emoji = '😀'.repeat(300)
    for (const { text } of chunksOf(emoji, 32)) t.ok(text.isWellFormed())
    t.equal(
      chunksOf(emoji, 32)
        .map(({ text }) => text)
        .join(''),
      emoji,
    )
  },
)

t.test('An exact token counter counts the sentences and each chunk', async (t) => {
  const exact = (text: string) => 2 * text.length
  const text = article(3, 30)
  const chunks = chunksOf(text, 200, exact)
  t.ok(chunks.length > 5)
  for (const chunk of chunks) {
    t.equal(chunk.tokens, exact(chunk.text))
    t.ok(chunk.tokens <= 200)
  }
})

t.test('Letters, digits and marks that end nothing are counted in the kernel, not visited one by one', async (t) => {
  const memory = new TextMemory()
  const cleanIn = createCleaner(memory)
  const count = 10_000
  for (const mark of ['a', '1', ...",-#%(*/+=>@^_`{|~;'$\\", ...'，、；（《—é→あ한', '❤']) {
    const { length } = cleanIn(mark.repeat(count))
    t.equal(length, count, mark)
    const { kernel, source, marks, hits, sums } = memory
    const visited = kernel.mark(source.base, length, kernel.classesBase.value, marks.base, hits.base, sums.base)
    t.equal(visited, 0, mark)
  }
})
