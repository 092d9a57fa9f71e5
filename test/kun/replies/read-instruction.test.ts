import t from 'tap'
import { instructionFilterOptions } from '../../../lib/kun/replies/filter-options.js'
import { readInstruction } from '../../../lib/kun/replies/read-instruction.js'

const text = '腌萝卜要先晒两天，再用粗盐揉透，压上石头，三天后倒掉苦水，加糖和辣椒封坛，半个月即可食用。'
const context = { text, title: '腌萝卜' }
const asked = '家里怎样腌萝卜才脆？请写出晒、揉盐和封坛的步骤。'
const read = (reply: string) => readInstruction(reply, context)

t.test('whatever a chat model writes around an instruction is removed', async (t) => {
  const around = [
    `好的，以下是根据您提供的文字推断出的用户指令：\n\n${asked}`,
    `当然！这是一条可能的指令：${asked}`,
    `这段话最有可能回答的问题是：“${asked}”`,
    `根据这段关于腌菜的文字，用户的指令可能是：${asked}`,
    `Sure, here is the instruction: ${asked}`,
    `Instruction: ${asked}`,
    `### 用户指令\n${asked}`,
    `**提问：** ${asked}`,
    `【用户提问】${asked}`,
    `【指令：${asked}】`,
    `[指令] ${asked} [/指令]`,
    `<指令>${asked}</指令>`,
    `用户可能会问：“${asked}”`,
    `1. ${asked}\n2. 萝卜要晒几天？\n3. 为什么要压石头？`,
    `- ${asked}\n- 萝卜要晒几天？`,
    `问题1：${asked}\n问题2：萝卜要晒几天？`,
    `（1）${asked}（2）萝卜要晒几天？`,
    `${asked}\n\n（注：这条指令与原文内容完全对应。）`,
    `${asked}\n\n**解释**：文字按步骤讲腌萝卜。`,
    `${asked}\n理由：文字讲的是做法。`,
    `${asked}\n\n这条指令涵盖了文字的全部要点。`,
    `${asked}\n\n希望这条指令符合您的要求！`,
    `${asked}\n\n回答：${text}`,
    `${asked}\n答：先晒两天。`,
    `{"instruction": "${asked}"}`,
    `\`\`\`json\n{"指令": "${asked}"}\n\`\`\``,
    `[{"instruction": "${asked}"}, {"instruction": "萝卜要晒几天？"}]`,
    `> ${asked}`,
    `**${asked}**`,
    `“${asked}”`,
    `《${asked}》`,
    `：${asked}`,
    `文字：${text}\n指令：${asked}`,
    `${asked}${asked}`,
    `${asked}\n\n---\n\n如果需要更多指令，请随时告诉我。`,
  ]
  for (const reply of around) t.strictSame(read(reply), { text: asked, fault: null }, reply)
})

t.test('an instruction is not shortened by words that look like an introduction or an afterword', async (t) => {
  const whole = [
    '请回答下列问题：一加一等于几？为什么？',
    '好的代码应当具备哪些特点？',
    '“内卷”和“躺平”分别是什么意思？',
    '请写一首关于秋天的诗，要求：\n1. 四句\n2. 押韵',
    '《红楼梦》',
    '翻译成英文：希望你喜欢这份礼物。',
    '3.5米长的绳子剪成7段，每段多长？',
    '请以“当然可以”为开头写一段对话。',
    '写一封给客户的道歉信，说明：货物延误两天，原因是暴雨。',
  ]
  for (const reply of whole) t.equal(read(reply).text, reply)
})

t.test('an instruction that points at what its reader cannot see is a fault, and the words are named', async (t) => {
  const pointing: [string, RegExp][] = [
    ['请概括这段文字的大意。', /这段/],
    ['把下面的句子改写成被动句。', /下面/],
    ['上文中老人为什么叹气？', /上文/],
    ['该校的校训是什么？', /该校/],
    ['他为什么没有回家？', /他/],
    ['如图，求阴影部分的面积。', /如图/],
    ['作者通过哪些细节写出了父爱？', /作者/],
    ['第三题的答案是什么？', /第三题/],
    ['请根据所给材料回答问题。', /所给/],
    ['这个故事告诉我们什么道理？', /这个/],
    ['文章的主旨是什么？', /文章/],
    ['请帮我修改以下代码。', /以下/],
  ]
  for (const [instruction, words] of pointing) {
    const { fault } = read(instruction)
    t.equal(fault?.reason, 'instruction-refers', instruction)
    t.match(fault?.detail, words)
  }
})

t.test('an instruction that brings its text, names its work or spoke of the subject before stands alone', async (t) => {
  const alone = [
    '请把下面的句子改写成被动句：大风吹断了树枝。',
    '用下列词语造句：高兴、认真',
    '请翻译这句话：“学而不思则罔。”',
    '《背影》的作者通过哪些细节写出了父爱？',
    '请概括鲁迅《故乡》这篇小说的主题。',
    '竹子开花这种现象为什么少见？',
    '什么是通货膨胀？它对储蓄有什么影响？',
    '华为公司的总部在哪里？该公司主要生产什么？',
    '给定一个整数数组，怎样找出其中最大的数？',
    '18岁以下的青少年每天应睡几个小时？',
    '怎样为网站写一段简介？',
    '孩子不爱吃饭该怎么办？',
    '写一篇关于友谊的短文。',
    '桌子上面的油渍怎样清除？',
    '其他国家是怎样处理垃圾的？',
    '这个夏天怎样防暑？',
    '新闻报道的标题有哪些写法？',
    '请作为导游介绍西湖的十景。',
  ]
  for (const instruction of alone) t.strictSame(read(instruction), { text: instruction, fault: null }, instruction)
})

t.test('a reply that is no instruction has a reason of its own', async (t) => {
  const replies: [string, string][] = [
    ['无', 'instruction-none'],
    ['没有合适的指令。', 'instruction-none'],
    ['请继续。', 'instruction-none'],
    ['点击下载完整版', 'instruction-none'],
    ['抱歉，我无法根据这段文字写出指令。', 'instruction-refusal'],
    ['作为一个人工智能助手，我不能回答。', 'instruction-refusal'],
    ['请提供完整的文本，以便我写出指令。', 'instruction-refusal'],
    ['用中文书写，一到三句话，不要抄录原文的整句。', 'instruction-echo'],
    ['怎样煮米饭才能让米粒软硬均匀？请说明浸泡、水量和焖饭的做法。', 'instruction-echo'],
    ['再用粗盐揉透，压上石头，三天后倒掉苦水', 'instruction-copied'],
    ['请介绍腌萝卜的做法，并说明', 'instruction-unfinished'],
    ['请介绍腌萝卜的做法、时间和', 'instruction-unfinished'],
    ['请联系王师傅 13800138000 询问腌萝卜的做法。', 'instruction-contacts'],
    ['请总结 https://a.example.com/radish 的内容要点。', 'instruction-contacts'],
    ['大根の漬物の作り方を教えてください。', 'instruction-not-chinese'],
    ['？？？？', 'empty-reply'],
  ]
  for (const [reply, reason] of replies) t.equal(read(reply).fault?.reason, reason, reply)
})

t.test('the check of references can be switched off', async (t) => {
  const options = instructionFilterOptions.parse({ selfContained: false })
  t.equal(readInstruction('请概括这段文字的大意。', context, options).fault, null)
})
