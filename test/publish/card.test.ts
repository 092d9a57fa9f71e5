import t from 'tap'
import { type CardData, mergeCard } from '../../lib/publish/card.js'
import { type CardLanguage, cardBody, cardLanguages, columnMeanings } from '../../lib/publish/card-body.js'
import type { CardFacts } from '../../lib/publish/card-facts.js'
import { beginMark, endMark } from '../../lib/publish/card-parts.js'
import { Random, testSeed } from '../support/random.js'

const begin = beginMark
const hostile = [
  ...[
    begin,
    endMark,
    '<!-- kun-stream:begin',
    '<!--kun-stream:end-->',
    '```',
    '````',
    '~~~',
    '~~~~~~',
    '```text',
    '---',
  ],
  ...[
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '</pre>',
    '[a](javascript:alert(1))',
    '![x](http://e/p)',
  ],
  ...[
    '| a | b |',
    '# 标题',
    '> 引用',
    '1. 一',
    '- 二',
    '\u202e反',
    '\u0000',
    '\u001b[31m',
    '\r',
    '\r\n',
    '\n',
    '\n\n',
    '...',
  ],
  ...[
    'configs:\n- x',
    '`',
    '\\',
    '$$',
    'https://evil.example',
    '竹子从出笋到成材',
    '\ud800',
    'x'.repeat(600),
    '`'.repeat(90),
  ],
]

function textOf(random: Random): string {
  const pieces = Array.from({ length: random.between(1, 9) }, () => hostile[random.between(0, hostile.length - 1)])
  return pieces.join(random.chance(0.6) ? '\n' : ' ')
}

function bodyOf(random: Random, language: CardLanguage = random.chance(0.5) ? 'en' : 'zh'): string {
  const reasons = { [textOf(random)]: 2 }
  const stages = { [textOf(random)]: { in: 3, out: 1, dropped: reasons, failed: 0 } }
  const row = { instruction: textOf(random), output: textOf(random) }
  const facts: CardFacts = {
    features: [{ name: textOf(random), dtype: textOf(random) }],
    samples: [{ split: 'a', row }],
    counters: { a: { rows: 1, stages } },
    sources: [{ split: 'a', name: 'a', hub: textOf(random), commit: null, shards: 1, bytes: 1 }],
    extractive: false,
    pinned: { recipe: { name: textOf(random), note: textOf(random) } },
  }
  const splits = [{ name: 'a', rows: 1, bytes: 1 }]
  return cardBody({ repo: 'me/set', facts, splits, otherRows: 0, picture: null, language })
}

const data: CardData = { splits: [], features: [], downloadBytes: 1, sources: [] }
const publish = (existing: string, body: string) => mergeCard(existing, data, body, true)

/** Lines that a reader of Markdown does not take as the content of a fence. */
function outsideFences(card: string): string[] {
  let fence = ''
  return card.split('\n').filter((line) => {
    const run = /^(`{3,}|~{3,})/.exec(line)?.[1] ?? ''
    if (fence === '') {
      fence = run
      return run === ''
    }
    if (run.startsWith(fence) && line.trim() === run) fence = ''
    return false
  })
}

t.test('Publishing again gives the same card, whatever texts, reasons, names and marks it shows', async (t) => {
  const random = new Random(testSeed())
  for (let round = 0; round < 1500; round++) {
    const [first, second] = [bodyOf(random), bodyOf(random)]
    const once = publish('', first)
    const again = publish(once, first)
    const changed = publish(again, second)
    if (again !== once || changed !== publish('', second)) {
      t.fail(`seed ${random.seed}: ${JSON.stringify(once)} became ${JSON.stringify(again)}`)
      return
    }
    const outside = outsideFences(once.slice(once.indexOf(begin)))
    const marks = outside.filter((line) => line.includes('kun-stream:'))
    const raw = outside.filter((line) =>
      /<(?!!-- kun-stream:)|\]\((?!https:\/\/(?:www\.npmjs|arxiv)|README(?:_zh)?\.md\))/.test(line),
    )
    const hidden = [...once].filter((sign) => /(?![\t\n])\p{Cc}|[\u202a-\u202e]/u.test(sign))
    if (marks.join() !== `${begin},${endMark}` || raw.length + hidden.length > 0) {
      t.strictSame({ marks, raw, hidden }, { marks: [begin, endMark], raw: [], hidden: [] }, `seed ${random.seed}`)
      return
    }
  }
})

t.test('Text that the user wrote around our part is kept, including fences, marks in fences and rules', async (t) => {
  const random = new Random(testSeed())
  const own = [
    '# 我的数据',
    `\`\`\`\n${begin}\n\nshown\n\n${endMark}\n\`\`\``,
    `~~~~\n\`\`\`\n${endMark}\n~~~~`,
    'The part between `<!-- kun-stream:begin` and its end is not mine.',
    'A rule:\n\n---\n\nbelow',
    '```python\nprint(1)\n```',
    '| a | b |\n|---|---|\n| 1 | 2 |',
  ]
  const words = () =>
    Array.from({ length: random.between(1, 4) }, () => own[random.between(0, own.length - 1)]).join('\n\n')
  for (let round = 0; round < 500; round++) {
    const [before, after] = [words(), words()]
    const published = publish(`---\nlicense: mit\n---\n${before}`, bodyOf(random))
    const isKept = published.startsWith('---\nlicense: mit\n') && published.includes(`---\n\n${before}\n\n${begin}`)
    const written = `${published.trimEnd()}\n\n${after}\n`
    const again = publish(written, bodyOf(random))
    const isKeptAgain = again.includes(`---\n\n${before}\n\n${begin}`) && again.endsWith(`${endMark}\n\n${after}\n`)
    if (!isKept || !isKeptAgain || publish(again, 'x') !== publish(written, 'x')) {
      t.strictSame(
        [isKept, isKeptAgain, publish(again, 'x')],
        [true, true, publish(written, 'x')],
        `seed ${random.seed}`,
      )
      return
    }
  }
})

t.test('An unclosed fence in user text does not make the card longer with every publish', async (t) => {
  const body = bodyOf(new Random(testSeed()))
  for (const fence of ['```', '~~~', '``````']) {
    const once = publish(`# Mine\n\n${fence}\nnot closed`, body)
    t.equal(publish(once, body), once, fence)
  }
})

t.test(
  'The Chinese card has what the English one has: sections, tables, meanings; each links to the other',
  async (t) => {
    const stages = {
      filter: { in: 9, out: 5, dropped: { 'chinese-share': 4 }, failed: 0 },
      score: { in: 5, out: 3, dropped: { 'score-low': 2 }, failed: 0 },
    }
    const facts: CardFacts = {
      features: Object.keys(columnMeanings).map((name) => ({ name, dtype: 'string' })),
      samples: [{ split: 'a', row: { instruction: '问', output: '答' } }],
      counters: { a: { rows: 3, stages } },
      sources: [{ split: 'a', name: 'b', hub: 'me/corpus', commit: '0'.repeat(40), shards: 1, bytes: 1 }],
      extractive: true,
      pinned: { recipe: { name: 'r' } },
    }
    const options = {
      repo: 'me/set',
      facts,
      splits: [{ name: 'a', rows: 3, bytes: 1 }],
      otherRows: 1,
      picture: 'a.svg',
    }
    const [english, chinese] = (['en', 'zh'] as const).map((language) => cardBody({ ...options, language })) as [
      string,
      string,
    ]
    const shape = (text: string) => text.split('\n').map((line) => /^(?:#+ |\||- |>|```|!|\[)?/.exec(line)?.[0])
    t.strictSame(shape(chinese), shape(english))
    t.match(english, '[中文](README_zh.md)')
    t.match(chinese, '[English](README.md)')
    t.notMatch(chinese, 'No language model')
    const prose = chinese.replace(/```[\s\S]*?```|`[^`]*`|\[[^\]]*\]\([^)]*\)|\*Kun[^*]*\*|Zheng et al\./g, '')
    const sentences = prose.split('\n').filter((line) => /[a-z]+ [a-z]+ [a-z]+/i.test(line))
    t.strictSame(sentences, [], 'no English sentence')
    for (const [name, text] of Object.entries(columnMeanings))
      t.match(cardLanguages.zh.words.translated(text), /\p{Script=Han}/u, `column ${name}`)
  },
)
