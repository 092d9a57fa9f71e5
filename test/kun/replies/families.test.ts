import t from 'tap'
import { readAnswer } from '../../../lib/kun/replies/read-answer.js'
import { readInstruction } from '../../../lib/kun/replies/read-instruction.js'
import { isStatement } from '../../../lib/kun/replies/statement.js'
import { writtenVerdict } from '../../../lib/kun/replies/verdict.js'

const text = '养蜂要先选好场地，蜂箱朝南，离水源近，冬天包上草帘保温。'
const asked = '初学养蜂怎样选场地和摆放蜂箱？'
const read = (reply: string) => readInstruction(reply, { text, title: '养蜂' })

t.test('introductions, marks, remarks and alternatives around an instruction are removed', async (t) => {
  const around = [
    `用户指令 => ${asked}`,
    `提问者大概是这么问的：${asked}`,
    `这段文字可能是在回答：“${asked}”`,
    `嗯，用户想问的应该是：${asked}`,
    `我来推测一下：${asked}`,
    `"""\n${asked}\n"""`,
    `'''${asked}'''`,
    `〔${asked}〕`,
    `“${asked}"`,
    `"${asked}`,
    `<task>${asked}</task>`,
    `{'instruction': '${asked}'}`,
    `\u200b${asked}\u200b`,
    `${asked}\n备注：依据第一段推断。`,
    `${asked}——以上是我反推出的用户指令。`,
    `${asked}\n祝您学习进步！`,
    `${asked}\n文字主要介绍了场地，所以这样提问。`,
    `a. ${asked}\nb. 冬天怎样保温？`,
    `备选一：${asked}\n备选二：冬天怎样保温？`,
    `（甲）${asked}（乙）冬天怎样保温？`,
    `${asked}；蜂箱应当朝哪边？`,
    `${asked}\n指令：${asked}`,
    `〔指令〕${asked}〔/指令〕`,
    `示例四 指令：${asked}`,
    `答：${asked}`,
    `这段文字介绍了养蜂的场地。\n**指令：** ${asked}`,
    `首先，我需要分析这段文字。\n\n指令：${asked}`,
    `${asked}\n**${asked}**`,
    `${asked}\nAI：蜂箱要朝南。`,
    `— ${asked}\n— 冬天怎样保温？`,
    `「指令」：${asked}`,
    `好嘞，这就给您写：${asked}`,
    `${asked}\n另外：冬天怎样保温？`,
    `首选：${asked}\n备选：冬天怎样保温？`,
    `${asked}（置信度：0.9）`,
    `${asked}\n\n*此指令根据文字内容生成*`,
    `${asked}\n\n请问这样可以吗？`,
    `${asked}\n\n### Response:\n蜂箱朝南。`,
    `${asked}<|assistant|>蜂箱朝南。`,
    `<p>${asked}</p>`,
  ]
  for (const reply of around) t.strictSame(read(reply), { text: asked, fault: null }, reply)
})

t.test('a reply that declines, points back, states something or breaks off is a fault', async (t) => {
  const replies: [string, string][] = [
    ['请把原文发给我。', 'instruction-refusal'],
    ['文字太零散，推不出对应的提问。', 'instruction-refusal'],
    ['这段话不构成对任何提问的回复。', 'instruction-refusal'],
    ['刚刚讲的那种蜂箱怎么摆？', 'instruction-refers'],
    ['联系全文，谈谈养蜂人的辛苦。', 'instruction-refers'],
    ['对此，养蜂人应当怎么做？', 'instruction-refers'],
    ['这么做有什么好处？', 'instruction-refers'],
    ['其中提及的三个条件是什么？', 'instruction-refers'],
    ['请概括选文的中心思想。', 'instruction-refers'],
    ['图片里的人在干什么？', 'instruction-refers'],
    ['换个角度再说一遍。', 'instruction-none'],
    ['蜜蜂靠舞蹈传递消息，工蜂看了就会飞向花丛。', 'instruction-none'],
    ['蜂场的选址，蜂箱的摆放，蜂群的越冬。', 'instruction-none'],
    ['以下是一篇介绍养蜂的文章。', 'instruction-none'],
    ['为什么蜂箱要朝南摆放而非', 'instruction-unfinished'],
    ['请说明蜜蜂在冬天怎样保温以及', 'instruction-unfinished'],
    ['请写一篇介绍养蜂的短文，要求：1.', 'instruction-unfinished'],
    ['怎样提高蜂蜜产量，特别是对于那些', 'instruction-unfinished'],
    ['无（文字不完整）', 'instruction-none'],
    ['请分析选段中养蜂人的心理。', 'instruction-refers'],
    ['由上式可得产量是多少？', 'instruction-refers'],
    ['此方法有哪些优点？', 'instruction-refers'],
    ['我们学校什么时候开运动会？', 'instruction-refers'],
  ]
  for (const [reply, reason] of replies) t.equal(read(reply).fault?.reason, reason, reply)
})

t.test('good instructions with words of these families are kept as they are', async (t) => {
  const whole = [
    '医生看不出病因时，病人该怎么办？',
    '用户把图片发给客服以后，客服应当怎样回复？',
    '基于文本的情感分析有哪些做法？',
    '参考资料在论文里怎样标注？',
    '孩子总是咬指甲，这样做有什么害处？',
    '这样的安排合理吗：周一体检，周二手术。',
    '太阳系有八颗行星，其中最大的是哪一颗？',
    '短视频里的人声怎样消除？',
    '小说的中心思想一般怎样提炼？',
    '写一段描写秋雨的文字，不少于一百字。',
    '用Python实现快速排序，并写出注释。',
    '列出三种常见的养蜂工具。',
    '比较中蜂和意蜂的采蜜能力。',
    '养蜂的入门步骤',
    '把“他跑得很快”译成英文。',
    '帮我想一个蜂蜜的品牌名。',
    '以蜜蜂为题写一首小诗。',
    '小明有五箱蜜蜂，卖了两箱，还剩几箱？',
    '蜂箱朝南好，还是朝东好？或者有更好的方向？',
    '请判断下面的指令属于哪一类。\n指令：打开客厅的灯，把空调调到二十六度。',
    '你是一名养蜂人，向游客介绍蜂箱的结构。',
    '她字在古代汉语里有没有？',
    '此地无银三百两的故事说明了什么道理？',
    '怎样写好文章的结尾？',
    '我们学校要办蜂蜜节，请写一份通知。',
    '把公式写成上下式样的排版有什么好处？',
  ]
  for (const instruction of whole) t.strictSame(read(instruction), { text: instruction, fault: null }, instruction)
  t.notOk(isStatement('概述明朝灭亡的经过。'))
})

const answer = '场地要背风向阳，附近有干净的水源；蜂箱朝南，垫高二十厘米，箱与箱之间隔两米。'
const readPolished = (reply: string, instruction = asked) => readAnswer(reply, { instruction, text })

t.test('introductions and closings of an answer are removed, and faults are named', async (t) => {
  const around = [
    `这个问题我来回答。${answer}`,
    `关于“${asked}”这个问题，我的回答如下：\n${answer}`,
    `${answer}\n\n祝您养殖顺利，生活愉快！`,
    `${answer}\n\n资料来源：所给材料第一段。`,
    `${answer}\n\n以上内容均出自所给材料。`,
    `您好！${answer}`,
    `亲爱的用户，您好！${answer}`,
    `好的\n${answer}`,
    `关于场地和蜂箱，回答如下：\n${answer}`,
    `${asked} ${answer}`,
    `${answer}\n\n您看这样回答可以吗？`,
    `${answer}\n\n问题：冬天怎样保温？`,
    `${answer}<pad><pad>`,
    `${answer}\n\n改写说明：删去了与问题无关的句子。`,
    `${answer}\n用户：冬天呢？\n助手：包上草帘。`,
  ]
  for (const reply of around) t.strictSame(readPolished(reply), { text: answer, fault: null }, reply)
  const faulty: [string, string][] = [
    [`文本中说，${answer}`, 'output-refers'],
    [`${answer}做法见原文第二段。`, 'output-refers'],
    ['请您提供更具体的信息，以便我给出准确的回答。', 'output-refusal'],
    [`${answer}[请在此处补充内容]`, 'output-placeholder'],
    [`${answer}【待完善】`, 'output-placeholder'],
    [`${answer}更多要点见第XX页的说明。`, 'output-placeholder'],
    [`${answer}最要紧的是——`, 'output-unfinished'],
    [`${answer}。。。。。。。。。。`, 'looping-reply'],
    ['我已经了解了任务要求，请提供需要改写的文字。', 'output-refusal'],
    [`${answer}费用分为（1`, 'output-unfinished'],
    [`${answer}这在原文中有详细说明。`, 'output-refers'],
    [`${answer}很抱歉，其他方面我无法回答。`, 'output-refusal'],
    [`${answer}不过我只是一个语言模型，仅供参考。`, 'output-refusal'],
    [`以我的训练数据来看，${answer}`, 'output-refusal'],
    ['没有提到蜂箱的摆放方法，因此不能作出回答，敬请谅解。', 'output-refusal'],
    ['请问您想了解养蜂的哪一个方面？是场地还是蜂箱？请告诉我。', 'output-refusal'],
    [`[您的姓名]，您好。${answer}`, 'output-placeholder'],
    [`${answer}喜欢蜂蜜的朋友赶紧下单！`, 'output-contacts'],
  ]
  for (const [reply, reason] of faulty) t.equal(readPolished(reply).fault?.reason, reason, reply)
  const letter = `亲爱的妈妈：\n我在蜂场一切都好，蜂蜜下周寄到家里，请留意查收。\n祝您身体健康！`
  t.strictSame(readPolished(letter, '写一封短信给妈妈，说蜂蜜下周寄到。'), { text: letter, fault: null })
  const materials = '养蜂需要哪些材料？'
  t.equal(readPolished(`由材料可知，${answer}`, materials).fault?.reason, 'output-refers')
  const yes = `可以。${answer}`
  t.strictSame(readPolished(yes, '城里可以养蜂吗？'), { text: yes, fault: null })
  const call = '您好！这里是蜂蜜店，您订的两瓶槐花蜜已经寄出，预计后天送到，请注意查收。'
  t.strictSame(readPolished(call, '写一段客服通知发货的话术。'), { text: call, fault: null })
})

t.test('a verdict that is denied before or behind it is none', async (t) => {
  for (const reply of [
    '很难评为【好】',
    '难说【好】',
    '【好】是谈不上的',
    '谈不上好',
    '离【好】还有距离',
    '【好】不到哪里去',
    '勉强算【好】',
  ])
    t.equal(writtenVerdict(reply), null, reply)
  t.equal(writtenVerdict('【好】不含指代，可以直接回答。'), 'good')
  t.equal(writtenVerdict('没有歧义，评为【好】'), 'good')
})
