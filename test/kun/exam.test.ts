import t from 'tap'
import { examOf } from '../../lib/kun/exam.js'
import { instructionKinds, kindOf } from '../../lib/kun/kinds.js'

t.test('one question with options is its own instruction, and the answer has the words of its option', async (t) => {
  t.strictSame(
    examOf(
      '1. 水在标准大气压下的沸点是（ ）\nA. 90℃\nB. 100℃\nC. 110℃\n答案：B\n解析：沸点与气压有关，标准大气压下是100℃。',
    ),
    {
      instruction: '水在标准大气压下的沸点是（ ）\nA. 90℃\nB. 100℃\nC. 110℃',
      output: '答案是B：100℃。\n沸点与气压有关，标准大气压下是100℃。',
    },
  )
  t.match(examOf('【多选题】下列属于哺乳动物的有（　　）A．鲸　B．鲨鱼　C．蝙蝠　D．企鹅 【答案】：AC'), {
    instruction: '下列属于哺乳动物的有（　　）A．鲸　B．鲨鱼　C．蝙蝠　D．企鹅',
    output: '答案是A：鲸；C：蝙蝠。',
  })
  t.match(examOf('我国最长的河流是____？\n参考答案：长江。'), {
    instruction: '我国最长的河流是____？',
    output: '长江。',
  })
})

t.test('a text that is not exactly one question is not an exam', async (t) => {
  const others = [
    '竹子几十年才开一次花。答案：没有人知道为什么。',
    '1. 一加一？\nA. 1\nB. 2\n答案：B\n2. 二加二？\nA. 3\nB. 4\n答案：B',
    '选哪个？\nA. 甲\nB. 乙\n答案：D',
    '选哪个？\nA. 甲\nC. 乙\n答案：A',
    '选哪个？\nA. 甲\nB. 乙',
    '这个问题的答案是什么？许多人都想知道。',
    `${'这是一篇长文章。'.repeat(100)}你怎么看？\n答案：见下期。`,
    '答案：B',
    '',
  ]
  for (const text of others) t.equal(examOf(text), null, text.slice(0, 30))
})

t.test('a megabyte of marks takes no longer than one of prose', async (t) => {
  const size = 1 << 20
  for (const unit of ['中', 'A. ', 'A.B.', '答案', '答案：', '（', '\n解析', ' ', '_', '【答案】']) {
    const start = performance.now()
    examOf(unit.repeat(size / unit.length))
    t.ok(performance.now() - start < 2000, JSON.stringify(unit))
  }
})

t.test('variants have different kinds, and chunks begin with different ones', async (t) => {
  for (const kinds of [instructionKinds, instructionKinds.slice(0, 2), instructionKinds.slice(0, 1)]) {
    const count = 3 * kinds.length
    const names = Array.from({ length: count }, (_, variant) => kindOf('00000007aa', variant, kinds).name)
    t.equal(new Set(names).size, count, names.join(' '))
  }
  const firsts = ['00000000', '00000001', '00000002'].map((id) => kindOf(id, 0, instructionKinds).name)
  t.equal(new Set(firsts).size, 3)
})
