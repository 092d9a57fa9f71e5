import t from 'tap'
import { decode, encode } from '../../../lib/simulator/vllm/tokens.js'
import { grade } from '../../../lib/simulator/vllm/writer/grade.js'
import { keyPhrases } from '../../../lib/simulator/vllm/writer/key-phrases.js'
import { polish } from '../../../lib/simulator/vllm/writer/polish.js'
import { recognise } from '../../../lib/simulator/vllm/writer/task.js'
import { write } from '../../../lib/simulator/vllm/writer/writer.js'
import { article } from '../support.js'

t.test('the key phrases of a text are what it is about', async (t) => {
  const phrases = keyPhrases(article).map(({ phrase }) => phrase)
  t.match(phrases.slice(0, 3).join(' '), /轨道.*城市|城市.*轨道/)
  t.notOk(phrases.some((phrase) => ['随着', '但是', '开始', '责任'].includes(phrase)))
  for (const [place, phrase] of phrases.entries()) {
    t.notOk(
      phrases.some((other, at) => at !== place && other.includes(phrase)),
      phrase,
    )
  }
})

t.test('a label is an instruction about the text; other seeds give other ones, the same seed the same', async (t) => {
  const label = (seed: number) => write(`【文本】${article}【/文本】`, seed).text
  t.equal(label(0), label(0))
  t.match(label(0), /轨道|城市/)
  t.match(label(0), /[？。]$/)
  t.equal(grade(label(0)).good, true)
  t.ok(new Set(Array.from({ length: 20 }, (_, seed) => label(seed))).size >= 5)
})

t.test('a text in which nothing stands out gets a vague instruction, which is graded down', async (t) => {
  const { text } = write('【文本】嗯，好的，那就这样吧。【/文本】', 0)
  t.equal(grade(text).good, false)
})

t.test('grades lie everywhere between 0 and 1, most of those of sound instructions above 0.5', async (t) => {
  const grades = Array.from({ length: 4000 }, (_, n) => grade(`请说明第${n}号堤防的作用，并分析它的成本。`).share)
  const between = (low: number, high: number) => grades.filter((share) => share >= low && share < high).length
  for (let tenth = 2; tenth < 10; tenth++) {
    const count = between(tenth / 10, (tenth + 1) / 10)
    t.ok(count > 0, `${count} from ${tenth / 10}`)
  }
  t.ok(between(0.5, 1) > 0.95 * grades.length, `${between(0.5, 1)} of ${grades.length}`)
  t.ok(grade('张三丰').share < 0.1)
})

t.test('an answer holds sentences of the text that the instruction asks for, without clutter', async (t) => {
  const answer = polish(article, '请说明城市轨道交通的优点，并分析它的建设成本。')
  t.match(answer, /建设成本很高/)
  t.notMatch(answer, /责任编辑|\n/)
  t.ok(answer.length >= 20)
  t.match(answer, /。$/)
  const bare = answer.replace(/此外，/g, '')
  for (const sentence of bare.split('。').filter(Boolean)) t.ok(article.includes(sentence), sentence)
  t.equal(polish('短。', '问？'), '短。')
  t.equal(polish('', '问？'), '')
})

t.test('the task is told by the tags, by the fixed first line, and by the published lines', async (t) => {
  t.match(recognise('例：【文本】甲【/文本】…\n【文本】乙【/文本】'), { kind: 'label', text: '乙' })
  t.match(recognise('【指令】问【/指令】'), { kind: 'grade', instruction: '问' })
  t.match(recognise('【文本】甲【/文本】\n【指令】问【/指令】'), { kind: 'polish', text: '甲', instruction: '问' })
  const label =
    '<|im_start|>user请直接告诉我，以下回复最有可能对应的指令是什么：\n甲\n乙<|im_end|>\n<|im_start|>assistant\n'
  t.match(recognise(label), { kind: 'label', text: '甲\n乙' })
  t.match(recognise('指令: 【问】 回复：'), { kind: 'grade', instruction: '问' })
  const answer = '<|im_start|>user 已知：甲，乙,请回答:问<|im_end|>'
  t.match(recognise(answer), { kind: 'polish', text: '甲，乙', instruction: '问' })
  t.match(recognise('你好'), { kind: 'free', text: '你好' })
})

t.test('tokens round through text of every kind', async (t) => {
  const texts = [
    article,
    'Hello  World foo.bar',
    '<|im_start|>user\n好差坏<|im_end|>',
    '😀𠀀\ud800x',
    '',
    '<think>a</think>',
  ]
  for (const text of texts) t.equal(decode(encode(text)), text)
  const perCharacter = encode(article).length / article.length
  t.ok(perCharacter > 0.55 && perCharacter < 0.75, `${perCharacter} tokens a character`)
})
