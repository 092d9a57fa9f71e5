import t from 'tap'
import { readThoughts } from '../../../lib/llm/protocol/thoughts.js'

/** Reply → answer; null where the answer cannot be told from the thoughts. */
const families: Readonly<Record<string, string | null>> = {
  '<think>嗯</think>\n\n答案': '答案',
  '嗯，想想</think>答案': '答案',
  '<think>没有结束': null,
  '<think>\n\n</think>\n\n答案': '答案',
  '甲<think>一</think>乙<think>二</think>丙': '甲乙丙',
  '<think><reasoning>一</reasoning>二</think>答案': '答案',
  '<think>没有结束<answer>答案</answer>': '答案',
  '<think>想</think><answer>\n答案\n</answer>': '答案',
  '<thinking>想</thinking>答案': '答案',
  '<THINK>想</THINK>答案': '答案',
  '<think time="3">想</think>答案': '答案',
  '<thought>想</thought>答案': '答案',
  '<reasoning>想</reasoning>\n<response>答案</response>': '答案',
  '<reflection>想</reflection>答案': '答案',
  '<seed:think>想</seed:think>答案': '答案',
  '<seed:think>想<seed:cot_budget_reflect>够了</seed:cot_budget_reflect></seed:think>答案': '答案',
  '<longcat_think>想</longcat_think>答案': '答案',
  '<inner_thoughts>想</inner_thoughts>答案': '答案',
  '<x:think>想</x:think>答案': '答案',
  '<x:mind>想</x:mind>答案': '答案',
  '<y:ponder>想</y:ponder>答案': '答案',
  '<analysis>想</analysis>\n答案': '答案',
  '<思考>想</思考>答案': '答案',
  '<scratchpad>想</scratchpad>\n\n<final_answer>答案</final_answer>': '答案',
  '想一想\n</think>\n\n<response>\n答案\n</response>\n': '答案',
  '想一想……\n<answer>答案</answer>': '答案',
  '答案\n</answer>': '答案',
  '<response>答案</response>': '答案',
  '<x:answer>答案</x:answer>': '答案',
  '<answer>没有结束': null,
  '◁think▷想◁/think▷答案': '答案',
  '◁think▷没有结束': null,
  '[THINK]想[/THINK]答案': '答案',
  '[THINK]没有结束': null,
  '【思考】想【/思考】答案': '答案',
  '<|begin_of_thought|>想<|end_of_thought|>\n\n<|begin_of_solution|>答案<|end_of_solution|>': '答案',
  '<|START_THINKING|>想<|END_THINKING|><|START_RESPONSE|>答案<|END_RESPONSE|>': '答案',
  '<|inner_prefix|>想<|inner_suffix|>答案': '答案',
  '<|thinking|>想<|/thinking|>答案': '答案',
  '<|begin_of_thought|>没有结束': null,
  '<think>想</think>结果是<|begin_of_box|>答案<|end_of_box|>': '结果是答案',
  '<|channel|>analysis<|message|>想<|end|><|start|>assistant<|channel|>final<|message|>答案<|return|>': '答案',
  '<|channel|>analysis<|message|>想<|end|>': null,
  'analysis需要写出指令。assistantfinal答案': '答案',
  'analysisWe need 写出': null,
  '<unused94>thought\n想<unused95>答案': '答案',
  '<unused94>thought\n没有结束': null,
  'Here is my thought process:\n想\n\nHere is my response:\n答案': '答案',
  '### Reasoning\n想\n\n### Answer\n答案': '答案',
  '### Reasoning\n想': null,
  'Thought: 想\nAnswer: 答案': '答案',
  '**思考过程**：想\n\n**回答**：答案': '答案',
  '【思考】\n想\n【回答】\n答案': '答案',
  '```thinking\n想\n```\n答案': '答案',
  'Thinking...\n想\n...done thinking.\n\n答案': '答案',
  '<details type="reasoning" done="true"><summary>Thought for 5 s</summary>想</details>答案': '答案',
  '<mind>想</mind>答案': '答案',
  '<zzz>想</zzz>答案': null,
  '<zzz>想</zzz><answer>答案</answer>': '答案',
  '<zzz>答案</zzz>': '答案',
  '<zzz>没有结束，一直写下去': null,
  '答案</zzz>': null,
  '<tool_call>{"name":"search"}</tool_call>': null,
  '<function=search>{}</function>答案': null,
  '<ctrl94>thought\n想<ctrl95>答案': '答案',
  '<|channel>thought\n想<channel|>答案': '答案',
  assistantfinal答案: '答案',
  '<think/>答案': '答案',
  '<think />答案': '答案',
  '<<think>>想<</think>>答案': '答案',
  '**<think>**想**</think>**答案': '答案',
  '`<think>`想`</think>`答案': '答案',
  '< think >想</ think >**答案**': '**答案**',
  '[思考]想[/思考]答案': '答案',
  '> **思考**\n> 想\n\n答案': '答案',
  '---思考---\n想\n---回答---\n答案': '答案',
  '<|start_thinking|>想<|end_thinking|>答案': '答案',
  '<|begin▁of▁thinking|>想<|end▁of▁thinking|>答案': '答案',
  '<|think|>想<|/think|>答案': '答案',
  '⟦think⟧想⟦/think⟧答案': '答案',
  '<think|>想</think|>答案': null,
  '{{think}}想{{/think}}答案': null,
  '&lt;think&gt;想&lt;/think&gt;答案': null,
  '\\<think\\>想\\</think\\>答案': null,
  '【思考开始】想【思考结束】答案': null,
  '（思考：想）答案': null,
  '想</x:plan>答案': null,
  '想</plan>答案': null,
  '[XYZ]想[/XYZ]答案': null,
}

/** Answers that begin with, or hold, what looks like a mark. */
const answers = [
  '水往低处流。',
  ' 没有标签 ',
  '<p>第一段。</p>\n<p>第二段。</p>',
  '<div class="a">内容</div>',
  '<b>重点</b>：先浇水，再施肥。',
  '<h1>标题</h1>正文',
  '<br/>换行之后',
  '<!-- 注释 -->\n<html><body>页面</body></html>',
  '<!DOCTYPE html>\n<html></html>',
  '<?xml version="1.0"?>\n<note><to>甲</to></note>',
  '<note><to>甲</to><from>乙</from></note>',
  '<book id="1">三国演义</book>',
  '<svg width="10"><circle r="3"/></svg>',
  '<details><summary>展开</summary>内容</details>说明',
  '```html\n<p>好</p>\n```',
  '```xml\n<answer>42</answer>\n```',
  '```python\nprint(1)\n```\n以上是代码。',
  '用 `<div>` 标签包住内容，再写 `</div>`。',
  'HTML 里的 <p> 与 </p> 成对出现',
  '【注意】使用前先晾晒三天。',
  '【分析】这首诗写的是秋天。\n【解答】选甲。',
  '【好】',
  '[1] 王力，古代汉语。',
  '[链接](https://example.org) 里有说明。',
  '[注] 本文作于一九二五年。',
  '[b]粗体[/b]后面的话',
  '《红楼梦》是清代小说。',
  '＜注＞以上仅供参考。',
  '# 竹子\n竹子长得快。',
  '## 思考题\n1. 竹子为什么空心？',
  '思考：竹子为什么空心？',
  '思考一下，竹子为什么空心？',
  '**要点**：先浇水。',
  '1. 甲\n2. 乙',
  '> 引文\n\n正文',
  '{"甲": 1}',
  '<T>(x: T) => x 是一个泛型函数。',
  '<stdio.h> 是 C 语言的头文件。',
  '<https://example.org> 是一个网址。',
  '<用户名>@<域名> 是邮箱的格式。',
  'a < b 且 b > c，所以 <0 的数是负数',
  '答案是 3 < 5。',
  'analysis is a word of English，意思是分析。',
  'Here is my answer: 水。',
  '推理过程：因为甲大于乙。\n答案：甲。',
  '「思考」是一个动词。',
  '👩‍👩‍👧 一家人',
  '例如 <dc:title>红楼梦</dc:title> 是一个元素。',
  '[thinking](https://example.org) 是一个词。',
  '（注：本文作于一九二五年）\n正文',
  '> 思无邪\n\n这是孔子的话。',
  '----\n正文\n----',
]

for (const [reply, answer] of Object.entries(families)) {
  t.test(`Thoughts never enter an answer: ${JSON.stringify(reply)}`, async (t) => {
    const { text, unreadable } = readThoughts(reply)
    t.strictSame(
      { text, unreadable },
      answer === null ? { text: '', unreadable: true } : { text: answer, unreadable: false },
    )
    if (answer !== null) t.strictSame(readThoughts(text), { text, unreadable: false }, 'read again it is itself')
  })
}

t.test('An answer that begins with HTML, Markdown or brackets is not changed', async (t) => {
  for (const answer of answers) t.strictSame(readThoughts(answer), { text: answer, unreadable: false }, answer)
})

t.test('Marks by the hundred thousand are read in linear time', async (t) => {
  const texts = [
    '<think>',
    '</think>',
    '<zzz>',
    '<|channel|>final',
    '<x:y>a</x:y>',
    '[THINK]',
    '<',
    '<answer>',
    '思考：\n',
    '<details>',
    '</zzz>',
    '<|start|>',
    '```think\n',
  ]
  for (const text of texts) {
    const startedMs = performance.now()
    readThoughts(text.repeat(400_000 / text.length))
    readThoughts(`思考：${text.repeat(400_000 / text.length)}`)
    t.ok(performance.now() - startedMs < 2000, text)
  }
})

t.test('marks of a prompt that a reply repeats stay in its text', async (t) => {
  for (const text of [
    '【文本】水往低处流。【/文本】',
    '【文本】甲。【/文本】乙',
    '【标题】水【/标题】\n水往哪里流？',
  ]) {
    t.strictSame(readThoughts(text), { text, unreadable: false })
  }
  t.equal(readThoughts('【回答】水往低处流。【/回答】').text, '水往低处流。')
})
