import t from 'tap'
import { type ChunkLimits, chunkText } from '../../lib/text/chunk.js'
import { createCleaner } from '../../lib/text/clean.js'
import { codesToString } from '../../lib/text/code-units.js'
import { tokenFamilies, tokenFamilyOf } from '../../lib/text/token-families.js'

const cleaner = createCleaner()

interface Piece {
  readonly text: string
  readonly heading: string
}

/** Chunks with the repeated head of a table, as the label model gets them. */
function chunksOf(source: string, tokensMax: number, limits: Partial<ChunkLimits> = {}): Piece[] {
  const text = cleaner(source)
  const part = (range: { start: number; end: number } | null) =>
    range === null ? '' : codesToString(text.codes, range.start, range.end)
  return chunkText(text, 0, { tokensMax, family: 'qwen', exact: null, ...limits }).map((range) => ({
    text: range.head === null ? part(range) : `${part(range.head)}\n${part(range)}`,
    heading: part(range.heading),
  }))
}

const sentence = (index: number) => `第${index}句讲的是河边的竹子在春天怎样长高，又在秋天怎样落叶。`
const sentences = (from: number, count: number) => Array.from({ length: count }, (_, i) => sentence(from + i)).join('')

t.test('No chunk begins with a mark that continues a sentence', async (t) => {
  const speech = '“你看见那片竹林了吗？”，他问。“看见了！”、“没有！”，两个人同时回答：“再看看？”；于是他们走近了一步。'
  for (const tokensMax of [16, 24, 33, 47, 64]) {
    for (const { text } of chunksOf(speech.repeat(6), tokensMax)) t.notMatch(text, /^[，、；：”’」）》]/, text)
  }
  const marks = '很长的分句，，，，，，，，，，'.repeat(20)
  t.ok(chunksOf(marks, 16).every(({ text }) => text.isWellFormed()))
})

t.test('An ellipsis and a speech that is broken off end a sentence', async (t) => {
  const ends = chunksOf('他慢慢地走远了……她还站在那里等着——”风停了一会儿又吹起来'.repeat(4), 24).map(({ text }) =>
    text.at(-1),
  )
  t.ok(ends.filter((end) => end === '…' || end === '”').length >= ends.length - 2, ends.join())
})

t.test('The full stop of an abbreviation ends no sentence', async (t) => {
  const text = 'The plan of Dr. Smith is in Fig. 3 and in No. 12 of the list by Jones et al. and others. '
  for (const { text: chunk } of chunksOf(text.repeat(12), 40)) t.match(chunk, /others\.$/, chunk)
  const no = 'He looked at all of them and then he only said no. Then he left the house for good. '
  const ends = chunksOf(no.repeat(20), 16).map(({ text: chunk }) => chunk.slice(-3))
  t.ok(ends.includes('no.'), ends.join())
})

t.test('An answer stays with its question, and options with theirs', async (t) => {
  for (const [asks, answers] of [
    ['问：', '答：'],
    ['Q: ', 'A: '],
    ['题目：', '答案：'],
    ['例题 ', '【解析】'],
  ]) {
    const pairs = Array.from({ length: 12 }, (_, i) => `${asks}${sentences(i, 1)}\n${answers}${sentences(i + 50, 2)}`)
    const chunks = chunksOf(pairs.join('\n'), 160)
    t.ok(chunks.length > 3)
    for (const { text } of chunks) t.ok(text.startsWith(asks ?? ''), JSON.stringify(text.slice(0, 20)))
  }
  const exam = Array.from(
    { length: 12 },
    (_, i) => `${i + 1}．下面哪一种说法是对的？\nA．春天\nB．夏天\nC．秋天\nD．冬天`,
  )
  for (const { text } of chunksOf(exam.join('\n'), 100)) t.notMatch(text, /^[A-D]/)
})

t.test('A block of code is not divided if it fits', async (t) => {
  const code = ['```js', ...Array.from({ length: 8 }, (_, i) => `const value${i} = read(${i})`), '```'].join('\n')
  const text = `${sentences(0, 6)}\n${code}\n${sentences(20, 6)}\n${code}\n${sentences(40, 3)}`
  const chunks = chunksOf(text, 220)
  t.ok(chunks.length > 2)
  for (const { text: chunk } of chunks) t.equal(chunk.split('```').length % 2, 1, chunk)
})

t.test('A table is not divided if it fits; if it does not, each part begins with its head', async (t) => {
  const head = '| 年份 | 产量 | 单价 |\n| --- | --- | --- |'
  const row = (i: number) => `| ${1990 + i} | ${3 * i} 吨 | ${i} 元 |`
  const short = `${head}\n${[1, 2, 3].map(row).join('\n')}`
  for (const { text } of chunksOf(`${sentences(0, 7)}\n${short}\n${sentences(30, 7)}`, 200)) {
    if (text.includes('|')) t.ok(text.includes(short), text)
  }
  const long = `${head}\n${Array.from({ length: 60 }, (_, i) => row(i)).join('\n')}`
  const chunks = chunksOf(long, 200)
  t.ok(chunks.length > 3)
  for (const { text } of chunks) t.ok(text.startsWith(head), JSON.stringify(text.slice(0, 40)))
  t.equal(chunks.flatMap(({ text }) => text.split('\n').slice(2)).length, 60, 'each row once')
})

t.test('A chunk names the heading above it, unless it begins with one', async (t) => {
  const chunks = chunksOf(`一、竹子的生长\n${sentences(0, 14)}\n二、竹子的用途\n${sentences(20, 14)}`, 150)
  t.same([chunks[0]?.heading, chunks.at(-1)?.heading], ['', '二、竹子的用途'])
  for (const { text, heading } of chunks) t.equal(heading === '', /^[一二]、/.test(text), text.slice(0, 10))
})

t.test('A model has the tokens of its family, by its name', async (t) => {
  const families = [
    ['m-a-p/Kun-LabelModel', 'yi'],
    ['01-ai/Yi-34B', 'yi'],
    ['Qwen/Qwen3-8B', 'qwen'],
    ['deepseek-ai/DeepSeek-R1-Distill-Qwen-7B', 'qwen'],
    ['meta-llama/Llama-3.1-8B', 'llama'],
    ['THUDM/glm-4-9b', 'glm'],
    ['bayi-writer', 'unknown'],
    ['', 'unknown'],
  ] as const
  for (const [name, family] of families) t.equal(tokenFamilyOf(name), family, name)
  const lengths = (['deepseek', 'qwen', 'yi', 'llama'] as const).map(
    (family) => chunksOf(sentences(0, 80), 512, { family })[0]?.text.length ?? 0,
  )
  t.same(
    lengths,
    [...lengths].sort((a, b) => b - a),
    'the more tokens a family takes, the shorter its chunks',
  )
  for (const { median, most } of Object.values(tokenFamilies)) t.ok(median <= most)
})
