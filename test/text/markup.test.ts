import t from 'tap'
import { createCleaner } from '../../lib/text/clean.js'
import { codesToString } from '../../lib/text/code-units.js'
import { decodeEntities } from '../../lib/text/entities.js'
import { Random, testSeed } from '../support/random.js'

const cleaner = createCleaner()

function clean(text: string): string {
  const { codes, length } = cleaner(text)
  return codesToString(codes, 0, length)
}

t.test('Tags are removed, their words stay, and blocks end lines', async (t) => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['paragraphs and line breaks', '<p>第一段</p><p>第二段<br/>换行</p>', '第一段\n\n第二段\n换行'],
    ['attributes, quoted and bare', '见<a href="/a?b>c" target=_blank title=\'题\'>这里</a>。', '见这里。'],
    ['upper case', '<P ALIGN=CENTER>居中<FONT COLOR="red">红</FONT></P>', '居中红'],
    ['cells are apart', '<table><tr><td>甲</td><td>乙</td></tr></table>', '甲 乙'],
    [
      'scripts, styles and comments',
      '一<script>var a="</p>"</script>二<style>p{}</style>三<!-- 注 -->四',
      '一\n二\n三四',
    ],
    ['a script that is not closed', '<p>前</p><script src="a.js">后文', '前\n\n后文'],
    ['elements of a word processor', '<o:p></o:p>正文<st1:chsdate w:st="on">五月</st1:chsdate>', '正文五月'],
    ['a declaration', '<!DOCTYPE html><html><body>正文</body></html>', '正文'],
    ['escaped tags', '&lt;p&gt;正文&lt;/p&gt;&lt;br/&gt;完', '正文\n\n完'],
  ]
  for (const [title, text, expected] of cases) t.equal(clean(text), expected, title)
})

t.test('What only looks like a tag stays', async (t) => {
  for (const text of [
    '若a<b且c>d，则a<b c>d。',
    '类型是 List<String> 与 vector<int>，还有 Map<K, V>。',
    '<script 没有写完',
    '他说<暂停>，然后<继续>。',
    'x <p y 1> z <- 3 <= 4 <3 <<<>>>',
    'HTML 中 <a> 标签用于链接，<b>粗体</b>用于强调。',
    '换行用<br>标签，段落用<p>标签</p>。',
    '在 Vue 里写 <div v-if="ok">你好</div> 即可。',
    '```html\n<b>粗</b>&nbsp;\n```\n完',
    '写 `<div class="a">` 和 `&amp;` 就行。',
  ]) {
    t.equal(clean(text), text)
  }
})

t.test('Character references are decoded once', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['&ldquo;你好&rdquo;&hellip;&mdash;&middot;', '“你好”…—·'],
    ['一&nbsp;&nbsp;二&nbsp三&emsp;四', '一 二 三 四'],
    ['&#20013;&#x6587;&#150;&#8226;', '中文–•'],
    ['x&sup2;&le;&alpha;&times;&Omega;', 'x²≤α×Ω'],
    ['&amp;lt; &amp;nbsp; &AMP;', '&lt; &nbsp; &'],
    [
      'AT&T R&D a&&b ?a=1&copy=2 &unknown; &#0; &#xD800; &#x110000; &',
      'AT&T R&D a&&b ?a=1&copy=2 &unknown; &#0; &#xD800; &#x110000; &',
    ],
    ['在 HTML 里用 &nbsp; 和 &lt; 表示，&copy; 是版权号。', '在 HTML 里用 &nbsp; 和 &lt; 表示，© 是版权号。'],
  ]
  for (const [text, expected] of cases) t.equal(clean(text), expected)
})

t.test('Images of Markdown go, links leave their words, forum codes go', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['看![风景](http://a.cn/x.png "题")图', '看图'],
    ['见[文档](https://a.cn/b_(c))和[首章](./a.md#b)。', '见文档和首章。'],
    ['[![标](a.png)](http://b.cn)完', '完'],
    ['注[1](见后)，数组 a[i](x.y)，f[0](1)。', '注[1](见后)，数组 a[i](x.y)，f[0](1)。'],
    ['[待办](没有链接) ![未完](http://a.cn', '[待办](没有链接) ![未完](http://a.cn'],
    ['[b]粗[/b][url=http://a.cn]链接[/url][img]http://a.cn/1.jpg[/img][size=3]大[/size]', '粗链接大'],
    ['a[i] = b[u]，[b] 是变量', 'a[i] = b[u]，[b] 是变量'],
  ]
  for (const [text, expected] of cases) t.equal(clean(text), expected)
})

t.test('Cleaning twice is cleaning once, but for references that were escaped twice', async (t) => {
  const seed = testSeed()
  t.comment(`KUN_SEED=${seed}`)
  const random = new Random(seed)
  const pick = (from: readonly string[]) => from[random.between(0, from.length - 1)] as string
  const around: readonly ((inner: string) => string)[] = [
    (inner) => `<p>${inner}</p>`,
    (inner) => `<a href="/x?a=1&b=2">${inner}</a>`,
    (inner) => `<div class='a'><span>${inner}</span><br></div>`,
    (inner) => `&lt;b&gt;${inner}&lt;/b&gt;`,
    (inner) => `[b]${inner}[/b]`,
    (inner) => `${inner}<script>if (a<b) f("</p>")</script>`,
    (inner) => `<!-- ${inner} -->${inner}`,
  ]
  const words = [
    '天地',
    '玄黄。',
    'a<b',
    'x > y',
    '&nbsp;',
    '&#20013;',
    '![图](a.png)',
    '\n',
    ' ',
    'AT&T',
    '`<i>`',
    '[1]',
  ]
  const nested = (depth: number): string => {
    const inner = Array.from({ length: random.between(1, 4) }, () => (depth === 0 ? pick(words) : nested(depth - 1)))
    return (around[random.between(0, around.length - 1)] as (inner: string) => string)(inner.join(''))
  }
  for (let round = 0; round < 1000; round++) {
    const text = `${nested(random.between(0, 3))}\n\`\`\`\n<b>&lt;\n\`\`\`\n${nested(1)}`
    const once = clean(text)
    if (clean(once) === once) continue
    t.equal(clean(once), once, JSON.stringify(text))
    return
  }
  t.pass('1000 texts')
})

t.test('A reference needs its semicolon and a bounded name or number; only &nbsp does without', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['&amp;lt;', '&lt;'],
    ['&#20013;&#x6587;&#X4E00;', '中文一'],
    ['&hellip;&HELLIP;', '……'],
    ['&nbsp甲&nbsp1&nbspa&nbsp1;', '\u00a0甲\u00a01&nbspa&nbsp1;'],
    ['&#12345678;&#x1234567;&#;&#x;&#xg;', '&#12345678;&#x1234567;&#;&#x;&#xg;'],
    ['&#0;&#xD800;&#1114112;&#x80;', '&#0;&#xD800;&#1114112;€'],
    ['&a;&ab;&abcdefghi;&abcdefghij;&1a;', '&a;&ab;&abcdefghi;&abcdefghij;&1a;'],
    ['&&amp;&', '&&&'],
  ]
  for (const [source, expected] of cases) t.equal(decodeEntities(source, false), expected, source)
  t.equal(decodeEntities('&amp;&copy;&nbsp ', true), '&amp;©&nbsp ')
})
