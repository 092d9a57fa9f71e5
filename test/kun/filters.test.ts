import t from 'tap'
import { comparisonForm } from '../../lib/kun/replies/comparison-form.js'
import { instructionFilterOptions, outputFilterOptions } from '../../lib/kun/replies/filter-options.js'
import { repeatedEnd, repeatedStart } from '../../lib/kun/replies/loops.js'
import { readAnswer } from '../../lib/kun/replies/read-answer.js'
import { readInstruction } from '../../lib/kun/replies/read-instruction.js'
import { textFault } from '../../lib/kun/replies/reply-fault.js'
import { replyText } from '../../lib/kun/replies/reply-text.js'

const megabyte = 1024 * 1024
const unrelated = {
  text: '江南多雨，屋顶常用青瓦，檐口伸出墙外，雨水便不会打湿门窗。',
  title: '',
  instruction: '屋顶怎样防雨？',
}
const instructionOf = (reply: string) => readInstruction(reply, unrelated).text
const article = '竹子一生只开一次花，花后养分耗尽，整片竹林便会枯死，所以养竹人要提前移栽新鞭。'

t.test('thoughts, fences, roles and end tokens are removed from a reply, and nothing else', async (t) => {
  const cases: [string, string][] = [
    ['<think>先想一想</think>\n\n水往低处流。', '水往低处流。'],
    ['先想一想\n</think>\n\n水往低处流。', '水往低处流。'],
    ['<think>一</think>水<think>二</think>火', '水火'],
    ['<think>还没有想完', ''],
    ['```text\n水往低处流。\n```', '水往低处流。'],
    ['代码如下：\n```js\na\n```', '代码如下：\n```js\na\n```'],
    ['```js\na\n```\n说明\n```js\nb\n```', '```js\na\n```\n说明\n```js\nb\n```'],
    ['assistant: 水往低处流。<|im_end|>\n<|im_start|>user', '水往低处流。'],
    ['<|im_start|>assistant\n水往低处流。', '水往低处流。'],
    ['<|im_end|>', ''],
    ['  \n ', ''],
  ]
  for (const [reply, text] of cases) t.equal(replyText(reply), text, JSON.stringify(reply))
})

t.test('the instruction is extracted from the text around it', async (t) => {
  const cases: [string, string][] = [
    ['如何种竹？   \n', '如何种竹？'],
    ['指令：如何种竹？', '如何种竹？'],
    ['最有可能对应的指令是：“如何种竹？”', '如何种竹？'],
    ['**指令：** 如何种竹？', '如何种竹？'],
    ['【指令】如何种竹？【/指令】', '如何种竹？'],
    ['“指令：如何种竹？”', '如何种竹？'],
    ['请回答下列问题：一加一等于几？', '请回答下列问题：一加一等于几？'],
    ['“竹”和“木”', '“竹”和“木”'],
    ['如何种竹？     如何种木？', '如何种竹？'],
    ['如何　　　　种竹？', '如何　　　　种竹？'],
    ['如何种竹？\n如何种竹？\n如何种竹？', '如何种竹？'],
    ['写一首诗。\n要押韵。\n写一首诗。', '写一首诗。\n要押韵。'],
    ['', ''],
  ]
  for (const [reply, instruction] of cases) t.equal(instructionOf(reply), instruction, JSON.stringify(reply))
})

t.test('keywords are none by default; one that the recipe lists drops a text and is named in the detail', async (t) => {
  t.strictSame(instructionFilterOptions.parse({}).keywords, [])
  t.strictSame(outputFilterOptions.parse({}).keywords, [])
  const keywords = instructionFilterOptions.parse({ keywords: ['新闻', '根据'] })
  const { fault } = readInstruction('怎样写一条校园新闻？', unrelated, keywords)
  t.strictSame(fault, { reason: 'instruction-keyword', detail: '新闻' })
  t.equal(readInstruction('怎样写一条校园新闻？', unrelated).fault, null)
  const words = outputFilterOptions.parse({ keywords: ['养竹人'] })
  t.match(readAnswer(article, unrelated, words).fault, { reason: 'output-keyword', detail: /^养竹人: / })
})

t.test(
  'an instruction that is too short, too long, not Chinese or has marks is dropped with its own reason',
  async (t) => {
    const dropOf = (instruction: string) => readInstruction(instruction, unrelated).fault?.reason
    t.equal(dropOf('写诗。'), 'instruction-too-short')
    t.equal(dropOf('种竹子。'), undefined)
    t.equal(dropOf(han(400)), undefined)
    t.equal(dropOf(han(401)), 'instruction-too-long')
    t.equal(dropOf(han(400, 0x20000)), undefined, 'a character outside the basic plane counts once')
    t.equal(dropOf('How do I grow bamboo?'), 'instruction-not-chinese')
    t.equal(dropOf('用 Python 写快速排序'), undefined)
    t.equal(dropOf('【/文本】如何种竹？'), 'instruction-markers')
    t.equal(dropOf('<|im_start|>如何种竹？'), 'instruction-markers')
  },
)

t.test('width, case and punctuation do not make two variants different', async (t) => {
  t.equal(comparisonForm('如何用Ｐｙｔｈｏｎ种竹？'), comparisonForm('如何 用 python 种竹'))
  t.not(comparisonForm('如何种竹'), comparisonForm('如何种树'))
})

t.test('an output with too few characters, little Chinese, marks or a loop at its start is dropped', async (t) => {
  const dropOf = (output: string) => readAnswer(output, unrelated).fault?.reason
  t.equal(dropOf(article), undefined)
  for (const word of ['作为', '根据', '知识库', '2023', '抱歉']) t.equal(dropOf(`${article}${word}。`), undefined, word)
  t.equal(dropOf(`${article.slice(0, 18)}。`), 'output-too-short')
  t.equal(dropOf(`${article.slice(0, 19)}。`), undefined)
  t.equal(dropOf('I am sorry, but I can only answer in English.'), 'output-not-chinese')
  t.equal(dropOf(`竹【/文本】${article}`), 'output-markers')
  t.equal(dropOf(`哈哈哈哈哈哈${article}`), 'looping-reply')
  t.equal(dropOf(`哈哈哈哈哈${article}`), undefined, 'five times are allowed')
})

t.test('the detail of a dropped output never has half a character', async (t) => {
  const options = outputFilterOptions.parse({ keywords: ['抱歉'] })
  const { fault } = readAnswer(`${article}${han(30, 0x20000)}一抱歉一${han(30, 0x20100)}。`, unrelated, options)
  const detail = fault?.detail ?? ''
  t.match(detail, /^抱歉: /)
  t.notMatch(detail, /\p{Cs}/u)
})

t.test('the repeated start agrees with the definition on every short text over two letters', async (t) => {
  for (let length = 0; length <= 14; length++) {
    for (let bits = 0; bits < 2 ** length; bits++) {
      const text = bits.toString(2).padStart(length, '0').slice(0, length)
      const unit = length === 0 ? null : repeatedStartByDefinition(text)
      if (repeatedStart(text) !== unit) t.equal(repeatedStart(text), unit, text)
    }
  }
  t.equal(repeatedStart('  ababababababx'), 'ab', 'blanks before it do not hide it')
  t.equal(repeatedStart(''), null)
})

t.test('a loop at the end counts once it is long enough', async (t) => {
  t.equal(repeatedEnd(`${article}！！！！！！`), null)
  t.equal(repeatedEnd(`${article}${'竹子开花。'.repeat(5)}`), null)
  t.equal(repeatedEnd(`${article}${'竹子开花了没有，还没有开花呢。'.repeat(8)}`)?.length, 15)
})

t.test('a megabyte of worst-case input is checked with a bounded number of reads of each character', async (t) => {
  const nearly = 'a'.repeat(megabyte - 1)
  const fibonacci = fibonacciWord(megabyte)
  const texts = {
    'one letter': `${nearly}b`,
    'one letter, then another in front': `b${nearly}`,
    'Fibonacci word, full of squares': fibonacci,
    'five units of a sixth of the length': 'ab'
      .repeat(megabyte / 12)
      .concat('c')
      .repeat(6),
    'think blocks that never end': '<think>'.repeat(megabyte / 8),
    'marks that never end': '【指令】'.repeat(megabyte / 8),
    'role names': 'assistant:'.repeat(megabyte / 10),
    'prefix words': '最有可能'.repeat(megabyte / 8),
    blanks: `${' '.repeat(4)}竹`.repeat(megabyte / 8),
    'token starts': '<|'.repeat(megabyte / 2),
    newlines: '\n'.repeat(megabyte),
    'letters of two kinds': '竹a'.repeat(megabyte / 2),
  }
  // The quadratic way takes minutes for the first of these: the test's own time limit is what fails.
  for (const [name, text] of Object.entries(texts)) {
    const reply = { text, finishReason: 'stop', promptTokens: 0, completionTokens: 0 }
    textFault(reply)
    readAnswer(text, unrelated)
    readInstruction(text, unrelated)
    t.pass(name)
  }
  t.equal(repeatedStart(texts['one letter']), 'a')
  t.equal(repeatedStart(fibonacci), null)
})

t.test('a reply that is cut off, empty or looping is a fault to retry', async (t) => {
  const fault = (text: string, finishReason = 'stop') =>
    textFault({ text, finishReason, promptTokens: 1, completionTokens: 1 })
  t.equal(fault(article), null)
  t.equal(fault(article, 'length'), 'cut-off')
  t.equal(fault(''), 'empty')
  t.equal(fault('<think>没想完'), 'thought-markers')
  t.strictSame(fault('竹子竹子竹子竹子竹子竹子'), { fault: 'looping', found: '竹子' })
})

/** Different characters, so that nothing repeats. */
function han(length: number, first = 0x4e00): string {
  return Array.from({ length }, (_, index) => String.fromCodePoint(first + index)).join('')
}

function repeatedStartByDefinition(text: string): string | null {
  for (let period = 1; period * 6 <= text.length; period++) {
    const unit = text.slice(0, period)
    if (text.startsWith(unit.repeat(6))) return unit
  }
  return null
}

function fibonacciWord(length: number): string {
  let [previous, current] = ['b', 'a']
  while (current.length < length) [previous, current] = [current, current + previous]
  return current.slice(0, length)
}
