/**
 * Texts made to be slow, through everything that happens to a document in a worker: the time per character and per byte
 * against that of prose, and how it grows with the length. Rules are linear where twice the text takes twice as long.
 */
import { Buffer } from 'node:buffer'
import { article } from '../fixtures/article.js'
import { random } from '../fixtures/random.js'
import { planPreparation, prepareOptions } from '../lib/text/plan.js'
import { createPreparer, type Preparer, prepareBlock } from '../lib/text/prepare.js'
import { median } from './median.js'
import type { BenchAim, BenchOptions, BenchResult } from './types.js'

export const bench = {
  name: 'linear',
  description:
    'texts made to be slow, through cleaning, filters and chunking: time per character and byte against prose',
  run,
}

/** Characters of a text, and of the shorter one that it is compared with. */
const chars = { smoke: 4000, full: 1_000_000 }
const growth = 4
const rounds = { smoke: 1, full: 5 }

/** ASCII marks, each alone, in turn with another, and before a letter, an ideograph and a line end. */
const asciiMarks: readonly string[] = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'].flatMap((mark, index, all) => [
  mark,
  `${mark}${all[(7 * index + 11) % all.length]}`,
  `${mark}a`,
  `${mark}哈`,
  `${mark}\n`,
])

/** Repeated to the length: single characters, two in turn, brackets, addresses, markup and its halves, lines of furniture. */
const pieces: readonly string[] = [
  ...['a', '1', '.', '哈', '，', ' ', '\n', '　', '<', '&', '$', '[', '(', '|', '`', '=', '-', '…', '😀', '\\'],
  ...[
    'ab',
    '哈a',
    '<>',
    '&;',
    '![',
    '](',
    '[]',
    '()',
    '「」',
    '$ ',
    '$$',
    '\\(',
    '。”',
    '\n ',
    '\n|',
    'a\n',
    '哈\n',
    '"<',
  ],
  ...['<a ', '</', '<a ="', '<!--', '<p>', '<script>', '&lt;', '&#1;', '&nbsp;', '[x](a', '[x](/a)', '[b]', '[/b]'],
  ...['```', '\n```', '`x', 'http://a.cn/b ', 'www.a.cn，', 'a.cn/', '\\begin{', '\\[', 'x=1;\n', 'a: b\n', '// 注\n'],
  ...[
    '首页 | ',
    '上一页 1 2 3 ',
    '版权所有\n',
    '上一篇：甲\n',
    '相关阅读\n',
    '来源：\n',
    '阅读全文\n',
    '更多>>',
    '新闻\n',
    '版权所有\n',
    '来源：甲\n甲\n',
    '编辑：\n',
    '扫码关注\n',
    '标签：甲 乙 丙\n',
    '1. ',
    '1. a\n',
    '- x\n',
    '|a|b|\n',
  ],
  ...[
    'ﬁ',
    'Ａ',
    'の',
    '<br>',
    '<p>甲</p>\n',
    '&amp;#x4e00;',
    '![](x)',
    '\r\n',
    'Dr. No. ',
    '贷dai款',
    '--a\n',
    '(1)\n',
  ],
  ...[
    '的',
    '的我',
    '微信',
    '加微信',
    '彩票网',
    'http://',
    '13800000000',
    '甲、',
    '（甲）',
    '“甲”',
    '甲 乙 ',
    '2020-01-01 ',
  ],
]

async function run({ size, say }: BenchOptions): Promise<BenchResult> {
  const plan = await planPreparation(prepareOptions.parse({}), '.', { ngram: 5, signatureLength: 128, seed: 1 })
  const preparer = await createPreparer(plan)
  const measure = (text: (length: number) => string) => timesOf(preparer, text, chars[size], rounds[size])
  const prose = measure((length) => proseOf(length))
  say(`prose: ${(1000 * prose.milliseconds) / chars[size]} µs a character`)
  const rows = [...new Set([...pieces, ...asciiMarks])].map((piece) => {
    const { milliseconds, grows, bytes } = measure((length) =>
      piece.repeat(Math.ceil(length / piece.length)).slice(0, length),
    )
    const timesProse = milliseconds / prose.milliseconds
    return { text: JSON.stringify(piece), milliseconds, timesProse, byByte: (timesProse * prose.bytes) / bytes, grows }
  })
  rows.sort((a, b) => b.timesProse - a.timesProse)
  const title = `${chars[size]} characters; medians of ${rounds[size]}; grows: for ${growth} times the text`
  const table = [
    { text: 'prose', milliseconds: prose.milliseconds, timesProse: 1, byByte: 1, grows: prose.grows },
    ...rows,
  ]
  return { tables: [{ title, rows: table }], aims: aimsOf(rows) }
}

function aimsOf(rows: readonly { timesProse: number; byByte: number; grows: number }[]): BenchAim[] {
  const slowest = Math.max(...rows.map(({ timesProse }) => timesProse))
  const byByte = Math.max(...rows.map((row) => row.byByte))
  const steepest = Math.max(...rows.map(({ grows }) => grows))
  return [
    { what: 'slowest text, times prose', figure: slowest, aim: 'at most 3', met: slowest <= 3 },
    { what: 'slowest text by its bytes, times prose', figure: byByte, aim: 'at most 3', met: byByte <= 3 },
    { what: `time for ${growth} times the text`, figure: steepest, aim: 'at most 6', met: steepest <= 6 },
  ]
}

const proseSeed = 20261129

/** Paragraphs of made-up articles, each another. */
function proseOf(length: number): string {
  const source = random(proseSeed)
  let text = ''
  while (text.length < length) text += `${article(source, 8).paragraphs.join('\n')}\n`
  return text.slice(0, length)
}

interface Times {
  readonly milliseconds: number
  /** Of the text in UTF-8. */
  readonly bytes: number
  /** Over the time for the text that is `growth` times as short. */
  readonly grows: number
}

function timesOf(preparer: Preparer, text: (length: number) => string, length: number, count: number): Times {
  const whole = text(length)
  const [long, short] = [whole, text(Math.ceil(length / growth))].map(bytesOf) as [Uint8Array, Uint8Array]
  const times = { long: [] as number[], short: [] as number[] }
  for (let round = 0; round < count; round++) {
    times.short.push(timeOf(preparer, short))
    times.long.push(timeOf(preparer, long))
  }
  const milliseconds = median(times.long)
  return { milliseconds, bytes: Buffer.byteLength(whole), grows: milliseconds / median(times.short) }
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(`${JSON.stringify({ text })}\n`))
}

function timeOf(preparer: Preparer, bytes: Uint8Array): number {
  const startMs = performance.now()
  prepareBlock(
    {
      number: 0,
      split: 'bench',
      shard: 'bench.jsonl',
      bytes,
      offset: 0,
      offsetUnit: 'byte',
      mapping: { text: 'text' },
      rejected: [],
    },
    preparer,
  )
  return performance.now() - startMs
}
