import t from 'tap'
import { readAnswer } from '../../../lib/kun/replies/read-answer.js'

const instruction = '家里怎样腌萝卜才脆？'
const text = '腌萝卜要先晒两天，再用粗盐揉透。'
const answer = '先把萝卜切条晒两天，再用粗盐揉透，压上石头去水，三天后加糖和辣椒封坛。'
const read = (reply: string, asked = instruction) => readAnswer(reply, { instruction: asked, text })

t.test('whatever a chat model writes around an answer is removed', async (t) => {
  const around = [
    `好的！下面我来为您介绍腌萝卜的做法。\n${answer}`,
    `当然可以，以下是根据您的要求整理的回答：\n\n${answer}`,
    `润色后的回答：${answer}`,
    `**答案**：${answer}`,
    `## 回答\n\n${answer}`,
    `Answer: ${answer}`,
    `${instruction}\n${answer}`,
    `问题：${instruction}\n回答：${answer}`,
    `# ${instruction}\n\n${answer}`,
    `${answer}\n\n希望这些信息对您有帮助！如果还有其他问题，请随时告诉我。`,
    `${answer}\n\n以上就是腌萝卜的全部步骤。`,
    `${answer}\n\n（字数：35字）`,
    `${answer}\n\n（注：以上内容根据参考文字整理，未添加其他事实。）`,
    `${answer}\n\n您还想了解其他腌菜的做法吗？`,
    `${answer}\n\nUser: 要放醋吗？`,
    `“${answer}”`,
    `{"answer": "${answer}"}`,
    `回答如下：\n\`\`\`\n${answer}\n\`\`\``,
    `您的问题很好！\n${answer}`.replace('您的问题很好', '感谢您的提问'),
    `<answer>${answer}</answer>`,
    `${answer}\n\n${answer}`,
  ]
  for (const reply of around) t.strictSame(read(reply), { text: answer, fault: null }, reply)
})

t.test('good answers of all shapes are kept as they are', async (t) => {
  const whole: [string, string?][] = [
    ['主要有以下几点：\n1. 晒两天，去掉一半水分\n2. 用粗盐揉透\n3. 压上石头去苦水'],
    ['| 步骤 | 天数 |\n|---|---|\n| 晒 | 2 |\n| 压 | 3 |\n| 封坛 | 15 |', '腌萝卜每步要几天？'],
    ['可以用下面的函数：\n```python\ndef f(n):\n    return n * 2\n```', '用Python写一个函数，把数翻倍。'],
    ['床前明月光\n疑是地上霜\n举头望明月\n低头思故乡', '默写《静夜思》。'],
    ['一元二次方程的求根公式是 x = (-b ± √(b² - 4ac)) / 2a', '求根公式是什么？'],
    ['安装时先进入项目的目录，再运行命令 npm install express', '怎样安装 express？'],
    ['小王向邻居说抱歉，因为他弄脏了门口。邻居作为长辈，并没有生气，还根据经验教他刷洗。'],
    ['2023年的产量比上一年多了两成，主要是因为雨水充足，施肥也更及时。'],
    ['尊敬的张老师：\n因家中有事，明天请假一天，望批准。\n此致\n敬礼\n学生李明\n5月6日', '写一张请假条。'],
    ['作者借月亮写思乡之情，语言平实，感情却很深，读来余味悠长。', '李白这首《静夜思》表达了什么？'],
    ['热线 12345 可以受理这类问题，一般在三个工作日内答复，也可以到街道办事处登记。'],
    ['人工智能作为一门学科，始于二十世纪五十年代，至今经历了几次起伏，应用越来越广。'],
  ]
  for (const [reply, asked] of whole) t.strictSame(read(reply, asked), { text: reply, fault: null }, reply)
})

t.test('a faulty answer has a reason of its own', async (t) => {
  const replies: [string, string][] = [
    ['无。', 'output-none'],
    ['很抱歉，我无法回答这个问题，建议您咨询有经验的厨师。', 'output-refusal'],
    [`作为一个人工智能助手，我认为${answer}`, 'output-refusal'],
    ['参考文字中没有提到萝卜需要晒多久，因此无法给出准确的时间。', 'output-refusal'],
    [`参考文字提到，${answer}`, 'output-refers'],
    [`根据上文，${answer}`, 'output-refers'],
    [`根据您提供的文字，${answer}`, 'output-refers'],
    [`作者认为，${answer}`, 'output-refers'],
    [`如图所示，${answer}`, 'output-refers'],
    [`直接回答指令，不要提到参考文字的存在。\n${answer}`, 'output-echo'],
    [`${answer}[此处插入图片]`, 'output-placeholder'],
    [`${answer}详情请加微信 luobo_2020 咨询。`, 'output-contacts'],
    [`${answer}更多做法见 https://www.example.com/radish 。`, 'output-contacts'],
    ['先晒两天去掉一半水分。再用粗盐揉透压上石头。先晒两天去掉一半水分。封坛。', 'output-repeats'],
    [`${answer}另外还要注意`, 'output-unfinished'],
    [`${answer}其次，`, 'output-unfinished'],
    [`${answer}（参见`, 'output-unfinished'],
    [`${answer}\`\`\`\nprint(1)`, 'output-unfinished'],
    [`${answer}${'要揉透粗盐。'.repeat(8)}最后封坛即可食用。`, 'looping-reply'],
    ['大根を切って二日間干し、粗塩でよく揉んでから重石をのせます。', 'output-not-chinese'],
  ]
  for (const [reply, reason] of replies) t.equal(read(reply).fault?.reason, reason, reply)
})
