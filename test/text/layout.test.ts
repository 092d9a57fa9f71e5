import t from 'tap'
import { createCleaner } from '../../lib/text/clean.js'
import { codesToString } from '../../lib/text/code-units.js'

const cleaner = createCleaner()

function clean(text: string): string {
  const { codes, length } = cleaner(text)
  return codesToString(codes, 0, length)
}

t.test('Indentation of code stays, with and without a fence', async (t) => {
  const fenced = '例如：\n```python\ndef f(x):\n    if x:\n\treturn 1\n```\n完。'
  t.equal(clean(fenced), fenced)
  const bare = '函数如下：\nfunction add(a, b) {\n  // 两数之和\n  let c = a + b;\n    return c\n}\n完。'
  t.equal(clean(bare), bare)
  t.equal(clean('  代码：  \n  let x = f(1);  \n    x++;\n　　完。'), '代码：\n  let x = f(1);\n    x++;\n完。')
})

t.test('Verses and lists that are set in steps stay so', async (t) => {
  const poem = '风从海上来\n  带着盐\n    带着帆影\n  又从窗前去\n只留下\n    一声汽笛'
  t.equal(clean(poem), poem)
  const list = '目录\n  水果\n    苹果\n    梨\n  蔬菜\n    白菜\n    萝卜'
  t.equal(clean(list), list)
})

t.test('Indentation of paragraphs and of whole texts is removed', async (t) => {
  const paragraphs = '第一章\n　　“你真的要走？”她问。\n　　“嗯。”\n　　“什么时候？”\n　　“明天一早。”'
  t.equal(clean(paragraphs), paragraphs.replaceAll('　', ''))
  t.equal(
    clean('  床前明月光\n  疑是地上霜\n  举头望明月\n  低头思故乡'),
    '床前明月光\n疑是地上霜\n举头望明月\n低头思故乡',
  )
})

t.test('Cleaning twice keeps the same indentation', async (t) => {
  for (const text of [
    '\u00a0\u00a0let a = 1;\n\u200b   b = 2;\n\u2003f(a, b);',
    '风从海上来\n \t带着盐\n\u3000\u3000带着帆影\n  又从窗前去\n只留下\n    一声汽笛',
    '```\n  a\n\n\n    b\n```\n  c',
    '  a = 1;\n中文一行\n   b == 2',
  ]) {
    const once = clean(text)
    t.equal(clean(once), once)
  }
})

t.test('Units start behind the indentation, and lines with it', async (t) => {
  const { units, codes, lineStart, lines } = cleaner('代码：\nlet a = f(1);\n  let b = g(a);')
  const starts = Array.from({ length: units.count }, (_, unit) => codes[units.start[unit] as number])
  t.notOk(starts.includes(0x20))
  t.equal(codes[lineStart[lines - 1] as number], 0x20)
})
