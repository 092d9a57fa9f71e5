import t from 'tap'
import { AsideKind } from '../../lib/text/asides.js'
import { CharacterClass } from '../../lib/text/characters.js'
import { createCleaner } from '../../lib/text/clean.js'
import { codesToString } from '../../lib/text/code-units.js'
import { chineseShare, digitShare, symbolShare } from '../../lib/text/filters/composition.js'
import { qualityOptions } from '../../lib/text/quality-options.js'
import { Random, testSeed } from '../support/random.js'

const cleaner = createCleaner()
const kinds = ['code', 'math', 'link'] as const

/** Asides of a text as [kind, text]. */
function asidesOf(text: string): [string, string][] {
  const { asides, codes } = cleaner(text)
  return Array.from({ length: asides.count }, (_, aside) => [
    kinds[asides.kind[aside] as number] as string,
    codesToString(codes, asides.start[aside] as number, asides.end[aside] as number),
  ])
}

t.test('Code is found by its fence, its marks and its shape', async (t) => {
  const cases: readonly (readonly [string, string, readonly (readonly [string, string])[]])[] = [
    [
      'a fenced block, with what is in it',
      '例如：\n```js\nlet a = 1\n第二行\n```\n完。',
      [['code', '```js\nlet a = 1\n第二行\n```']],
    ],
    ['a fence that is not closed', '例如：\n~~~\na = 1', [['code', '~~~\na = 1']]],
    ['code in backticks', '用 `npm ci` 安装。', [['code', '`npm ci`']]],
    ['a backtick that is not closed', '他写了 ` 这个符号 $ 和 \\ 这两个。', []],
    [
      'lines of code, and lines without other letters between them',
      '函数如下：\nfunction add(a, b) {\n  return a + b\n}\n它把两个数相加。',
      [
        ['code', 'function add(a, b) {'],
        ['code', '  return a + b'],
        ['code', '}'],
      ],
    ],
    ['a comment does not hide code', '如下：\nlet x = f(1); // 初始值是一', [['code', 'let x = f(1); // 初始值是一']]],
    [
      'a call, a file name and an option',
      '调用 log(0) 或读取 a_b.txt，加上 --force。',
      [
        ['code', 'log(0)'],
        ['code', 'a_b.txt'],
        ['code', '--force'],
      ],
    ],
    [
      'commands after a prompt, and in a sentence',
      '安装：\n$ sudo apt-get install -y nginx\n用 curl -I x 检查，再 ps -ef | grep x 看。',
      [
        ['code', '$ sudo apt-get install -y nginx'],
        ['code', 'curl -I x'],
        ['code', 'ps -ef | grep x'],
      ],
    ],
    [
      'a configuration without a line that is code by itself',
      '示例：\nservices:\n  web:\n    image: nginx\n冒号左边是名字。',
      [
        ['code', 'services:'],
        ['code', '  web:'],
        ['code', '    image: nginx'],
      ],
    ],
    [
      'lines of English are not code',
      '译文：\nIt was a cold day.\nThe men were tired.\nThey went home early.\n完。',
      [],
    ],
    [
      'subtitles and rules of dashes are not code',
      '00:00:01,000 --> 00:00:03,500 你怎么来了\n==========\n----------',
      [],
    ],
    ['pinyin in brackets is not code', '更新(zui)最新(xin)资源(yuan)，全网(wang)最全(quan)！', []],
  ]
  for (const [title, text, expected] of cases) t.same(asidesOf(text), expected, title)
})

t.test('Mathematics is found by its marks and by what formulas contain', async (t) => {
  const cases: readonly (readonly [string, string, readonly (readonly [string, string])[]])[] = [
    [
      'between dollars',
      '设 $x^2+1=0$ 无实根，而 $$\ny=1\n$$ 有。',
      [
        ['math', '$x^2+1=0$'],
        ['math', '$$\ny=1\n$$'],
      ],
    ],
    [
      'in LaTeX brackets',
      '由 \\(a<b\\) 得 \\[a+c<b+c\\] 。',
      [
        ['math', '\\(a<b\\)'],
        ['math', '\\[a+c<b+c\\]'],
      ],
    ],
    ['an environment', '\\begin{align}\na&=b\n\\end{align}\n成立', [['math', '\\begin{align}\na&=b\n\\end{align}']]],
    ['prices do not pair', '苹果 $5 一斤，梨 $6 一斤，@#%&* 都有。', []],
    [
      'formulas in a sentence',
      '由(a+b)²=a²+2ab+b²，当n=10时，√(ab)≤(a+b)/2。',
      [
        ['math', '(a+b)²=a²+2ab+b²'],
        ['math', 'n=10'],
        ['math', '√(ab)≤(a+b)/2'],
      ],
    ],
    ['dates, numbers and emoticons are not formulas', '2020-01-01 或 0755-000/1，=_= 和 ★★★。', []],
  ]
  for (const [title, text, expected] of cases) t.same(asidesOf(text), expected, title)
})

t.test('Shares are measured without asides, whose Han characters count', async (t) => {
  const text = cleaner('见 http://a.cn/b?c=1 一文。\n```\nlet 数 = 1\n```')
  t.equal(text.asideChars[AsideKind.link], 'http://a.cn/b?c=1'.length)
  t.equal(text.asideChars[AsideKind.code], '```\nlet 数 = 1\n```'.length)
  t.equal(text.proseCounts[CharacterClass.latin], 0)
  t.equal(text.proseCounts[CharacterClass.digit], 0)
  t.equal(text.proseCounts[CharacterClass.asciiPunctuation], 0)
  t.equal(text.proseLength, '见  一文。\n数'.length)
  const { chineseShareMin, symbolShareMax, digitShareMax } = qualityOptions.parse({})
  const formulas = '(a+b)²=a²+2ab+b²\n(a-b)²=a²-2ab+b²\n(a+b)³=a³+3a²b+3ab²+b³\n以上是常用的乘法公式。'
  t.equal(chineseShare(cleaner(formulas), chineseShareMin as number), null)
  t.equal(symbolShare(cleaner(formulas), symbolShareMax as number), null)
  t.equal(digitShare(cleaner(formulas), digitShareMax as number), null)
  const code = Array.from({ length: 40 }, (_, line) => `let x${line} = f(${line});`).join('\n')
  t.not(chineseShare(cleaner(`${code}\n如上`), chineseShareMin as number), null, 'two words do not make it Chinese')
})

t.test('What is counted outside asides is never negative, and asides are in order', async (t) => {
  const seed = testSeed()
  t.comment(`KUN_SEED=${seed}`)
  const random = new Random(seed)
  const pieces = [
    '```',
    '`',
    '$',
    '$$',
    '\\(',
    '\\)',
    '\\[',
    '\\begin{',
    '\\end{',
    '}',
    'http://a.cn/',
    'www.',
    '\n',
    ' ',
  ]
  const others = ['天地', '。', 'x', '=', 'a_b', 'f(1)', '10', '²', '😀', '𠀀', 'let x = 1;', '.', 'it is.', '，']
  for (let round = 0; round < 2000; round++) {
    const text = Array.from({ length: random.between(1, 40) }, () => {
      const from = random.between(0, 1) === 0 ? pieces : others
      return from[random.between(0, from.length - 1)]
    }).join('')
    const { asides, proseCounts, proseLength, length } = cleaner(text)
    let before = 0
    for (let aside = 0; aside < asides.count; aside++) {
      if ((asides.start[aside] as number) < before) t.fail(`overlap in ${JSON.stringify(text)}`)
      before = asides.end[aside] as number
    }
    const least = Math.min(...proseCounts)
    const sum = proseCounts.reduce((all, count) => all + count, 0)
    if (before > length || least < 0 || sum > proseLength) t.fail(JSON.stringify({ text, least, sum, proseLength }))
  }
  t.pass('2000 texts')
})
