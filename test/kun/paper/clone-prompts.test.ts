import t from 'tap'
import { clonePrompts } from '../../../lib/kun/paper/clone-prompts.js'
import { pythonStrings } from '../../../lib/kun/paper/python-strings.js'

const valuesOf = (source: string) => pythonStrings(source).map(({ parts }) => parts)

t.test('literals have the values that Python gives them', async (t) => {
  t.strictSame(valuesOf(`a = 'x\\ny' # 'no'\nb = "p\\\nq"\nc = ("1" '2'\n "3")\nd = r'\\n'\ne = f"{{a}}{b['c']}z"`), [
    ['x\ny'],
    ['pq'],
    ['1', '2', '3'],
    ['\\n'],
    ['{a}', { field: "b['c']" }, 'z'],
  ])
  t.strictSame(valuesOf(`"""a "b"\n'c'""" + '\\u200b\\x41\\q'`), [['a "b"\n\'c\''], ['\u200bA\\q']])
})

const conversation = `
askFor = '问句是：'
judgeBy = "评：\\
好或坏。\\n\u200b示例【一】"
register(C(name="other", roles=(f"<x>{askFor}", "y"), sep="z"))
register(C(
    name="Yi-label", roles=(f"<|im_start|>user{askFor}", "<|im_start|>assistant"), sep="<|im_end|>",))
register(C(
    name="Yi-point", roles=(f"<|im_start|>user{judgeBy}", "<|im_start|>assistant"), sep="<|im_end|>",))
register(C(name="Yi-answer", roles=(f"<|im_start|>user 有：", "<|im_start|>assistant"), sep="<|im_end|>"))
`
const common = `
fixed = f"{ques['output']},in English"
a = {"turns": [f"问: 【{ques['instruction']}】 答："]}
b = f"{ques['output']},请说:{truncated_instruction}"
`

t.test('the three prompts are what the two files put together, byte for byte', async (t) => {
  const { prompts, missing } = clonePrompts({ conversation, common })
  t.strictSame(missing, [])
  const end = '<|im_end|>\n<|im_start|>assistant\n'
  t.equal(prompts.label?.text, `<|im_start|>user问句是：\n{text}${end}`)
  t.equal(prompts.score?.text, `<|im_start|>user评：好或坏。\n\u200b示例【一】\n问: 【{instruction}】 答：${end}`)
  t.equal(prompts.answer?.text, `<|im_start|>user 有：\n{text},请说:{instruction}${end}`)
})

t.test('what is not there is named with its place', async (t) => {
  const { missing } = clonePrompts({ conversation: 'x = 1', common: '' })
  t.equal(missing.length, 5)
  t.match(missing.join('\n'), /conversation\.py.*Yi-point/)
})
