import t from 'tap'
import { labelOptions } from '../../../lib/kun/options.js'
import { readInstruction, readInstructions } from '../../../lib/kun/replies/read-instruction.js'

const text = '养蜂要先选好场地，蜂箱朝南，离水源近，冬天包上草帘保温。'
const context = { text, title: '' }
const { filter } = labelOptions.parse({ model: 'writer' })
const [first, second, third] = ['初学养蜂怎样选场地？', '蜂箱为什么要朝南摆放？', '请说明蜂箱过冬的保温方法。'] as const

const read = (reply: string, max = 8) => readInstructions(reply, context, filter, max)
const textsOf = (reply: string) => read(reply).readings.map(({ text }) => text)

t.test('all instructions of a list, of JSON and of alternatives are read, in order', (t) => {
  const three = [
    `1. ${first}\n2. ${second}\n3. ${third}`,
    `好的，以下是三条指令：\n\n1. ${first}\n\n2. ${second}\n\n3. ${third}\n\n希望对您有帮助！`,
    `1. ${first}2. ${second}3. ${third}`,
    `① ${first}\n② ${second}\n③ ${third}\n\n理由：文字介绍了这些内容。`,
    `- ${first}\n- ${second}\n- ${third}`,
    `指令一：${first}\n指令二：${second}\n指令三：${third}`,
    `指令1：${first}指令2：${second}指令3：${third}`,
    `A. ${first}\nB. ${second}\nC. ${third}`,
    `（甲）${first}（乙）${second}（丙）${third}`,
    `**问题1：** ${first}\n\n**问题2：** ${second}\n\n**问题3：** ${third}`,
    JSON.stringify([first, second, third]),
    JSON.stringify({ instructions: [first, second, third] }),
    `\`\`\`json\n${JSON.stringify([first, second, third].map((instruction) => ({ instruction })))}\n\`\`\``,
    `${first}\n或者：${second}\n或者：${third}`,
    `${first}；${second}/${third}`,
    `${first}\n指令：${second}\n指令：${third}`,
    `${first}      ${second}      ${third}`,
  ]
  for (const reply of three) t.strictSame(textsOf(reply), [first, second, third], reply)
  t.end()
})

t.test('the first reading is that of the whole reply alone', (t) => {
  const replies = [first, `1. ${first}\n2. ${second}`, '无', '', `写一首诗：\n1. 押韵\n2. 四行`, `【/文本】${first}`]
  for (const reply of replies) t.strictSame(read(reply).readings[0], readInstruction(reply, context), reply)
  t.end()
})

t.test('requirements behind a sentence, and explanations behind a list, are not instructions', (t) => {
  t.equal(textsOf('请写一篇养蜂日记：\n1. 不少于三百字\n2. 写出天气').length, 1)
  t.strictSame(textsOf(`1. ${first}\n2. ${second}\n\n以上两条指令分别从场地和朝向提问。`), [first, second])
  t.strictSame(textsOf(`1. ${first}（依据：第一句）\n2. ${second}`).length, 2)
  t.end()
})

t.test('each instruction has its own fault; a fault of the reply is one of each', (t) => {
  const { readings } = read(`1. ${first}\n2. 这段话主要讲了什么？\n3. ${third}`)
  t.strictSame(
    readings.map(({ fault }) => fault?.reason ?? null),
    [null, 'instruction-refers', null],
  )
  t.equal(read(`1. ${first}\n2. 【/文本】${second}`).readings[0].fault?.reason, 'instruction-markers')
  t.end()
})

t.test('at most the given number is read, whatever the reply has', (t) => {
  const lines = Array.from({ length: 40 }, (_, index) => `${index + 1}. 第${index + 1}个蜂箱应该怎样摆放才能朝南？`)
  const { readings, surplus } = read(lines.join('\n'), 3)
  t.equal(readings.length, 3)
  t.equal(surplus, 37)
  t.equal(read(JSON.stringify(Array.from({ length: 9 }, () => first)), 8).surplus, 1)
  t.end()
})
