import t from 'tap'
import { labelExample } from '../../lib/training/label-example.js'
import { isRefused, readExample, refusals } from '../../lib/training/read-example.js'
import { textOf } from './page.js'

const plain = { instruction: '一加一', output: '二', system: '' }
const user = { role: 'user', content: '一加一' }
const assistant = { role: 'assistant', content: '二' }

t.test('one exchange is read from every form, and other fields do not matter', async (t) => {
  const system = { ...plain, system: '你是助手' }
  for (const [record, expected] of [
    [{ instruction: '一加一', output: '二' }, plain],
    [{ instruction: '一加一', input: '', output: '二', history: [] }, plain],
    [{ instruction: '一加一', input: null, output: '二', system: '你是助手', history: null }, system],
    [
      { instruction: '翻译', input: '你好', output: 'Hello' },
      { instruction: '翻译\n你好', output: 'Hello', system: '' },
    ],
    [{ instruction: '', input: '一加一', output: '二' }, plain],
    [{ instruction: '一加一', response: '二' }, plain],
    [{ prompt: '一加一', completion: '二' }, plain],
    [{ prompt: [user], completion: [assistant] }, plain],
    [{ question: '一加一', answer: '二', id: 7 }, plain],
    [{ query: '一加一', response: '二' }, plain],
    [{ messages: [user, assistant], id: 'x' }, plain],
    [{ messages: [{ role: 'system', content: '你是助手' }, user, assistant] }, system],
    [
      {
        conversations: [
          { from: 'human', value: '一加一' },
          { from: 'gpt', value: '二' },
        ],
      },
      plain,
    ],
    [
      {
        conversations: [
          { from: 'human', value: '一加一' },
          { from: 'gpt', value: '二' },
        ],
        system: '你是助手',
      },
      system,
    ],
    [{ conversations: [user, assistant] }, plain],
    [
      {
        conversation: [
          { role: 'Human', content: '一加一' },
          { role: 'ASSISTANT', content: '二' },
        ],
      },
      plain,
    ],
    // A row of a run, in both shapes.
    [{ ...plain, id: '0f', source: 'wudao', raw: '原文', score: 1 }, plain],
    [{ messages: [user, assistant], id: '0f', source: 'wudao', raw: '原文', title: '题' }, plain],
  ] as const) {
    t.strictSame(readExample(record), expected, JSON.stringify(record))
  }
})

t.test('the texts are those of the record, blanks included', async (t) => {
  const code = { instruction: ' 写代码\n', output: '    return 1\n' }
  t.strictSame(readExample(code), { ...code, system: '' })
})

t.test('a record that is not exactly one exchange is refused by name', async (t) => {
  const again = [user, assistant, { role: 'user', content: '再问' }, { role: 'assistant', content: '再答' }]
  for (const [record, refusal, detail] of [
    [[1], 'not-an-object', /an array/],
    [null, 'not-an-object', /null/],
    ['文字', 'not-an-object', /"文字"/],
    [{ text: '正文', id: 1 }, 'unknown-form', /fields: text, id/],
    [{}, 'unknown-form', /fields: none/],
    [{ prompt: '问', chosen: '好', rejected: '坏' }, 'unknown-form', /prompt, chosen/],
    [{ instruction: 3, output: '二' }, 'not-text', /instruction is 3/],
    [{ instruction: '一', output: ['二'] }, 'not-text', /output is an array/],
    [
      { messages: [user, { role: 'assistant', content: null, tool_calls: [] }] },
      'not-text',
      /messages\[1\] is an object/,
    ],
    [{ messages: ['一加一', '二'] }, 'not-text', /messages\[0\] is "一加一"/],
    [{ messages: [user, { role: 'tool', content: '二' }] }, 'unknown-role', /messages\[1\] is of "tool"/],
    [{ messages: [user, { role: '__proto__', content: '二' }] }, 'unknown-role', /"__proto__"/],
    [{ instruction: ' ', input: '\n', output: '二' }, 'no-instruction', /instruction is blank/],
    [{ messages: [] }, 'no-instruction', /no message of a user/],
    [{ messages: [assistant, user] }, 'no-instruction', /first message is of assistant/],
    [{ instruction: '一', output: '' }, 'no-output', /output is blank/],
    [{ messages: [user] }, 'no-output', /no reply/],
    [{ messages: [user, user] }, 'no-output', /second message is of user/],
    [{ messages: again }, 'several-turns', /4 messages/],
    [{ instruction: '再', output: '再答', history: [['一加一', '二']] }, 'several-turns', /history of 1/],
  ] as const) {
    const result = readExample(record)
    t.ok(isRefused(result), JSON.stringify(record))
    t.match(result, { refusal, detail })
  }
  t.strictSame(readExample({ messages: again }, { firstTurn: true }), plain)
  const history = { instruction: '再', output: '再答', history: [['一加一', '二']] }
  t.strictSame(readExample(history, { firstTurn: true }), plain)
  t.match(readExample({ ...history, history: [['', '二']] }, { firstTurn: true }), { refusal: 'no-instruction' })
  t.match(readExample({ ...history, history: [7] }, { firstTurn: true }), { refusal: 'not-text' })
})

t.test('docs/datasets.md has every reason, with its meaning', async (t) => {
  const page = textOf('docs/datasets.md')
  for (const [reason, meaning] of Object.entries(refusals))
    t.ok(page.includes(`| \`${reason}\` | ${meaning} |`), reason)
})

t.test(
  'inverted, the message is the published label prompt with the output in it, and the reply the instruction',
  async (t) => {
    const example = { ...plain, system: '你是助手' }
    t.strictSame(labelExample(example, 'label-kun', 'messages'), {
      instruction: '请直接告诉我，以下回复最有可能对应的指令是什么：\n二',
      output: '一加一',
      system: '',
    })
    t.strictSame(labelExample(example, 'label-kun', 'completion'), {
      instruction:
        '<|im_start|>user请直接告诉我，以下回复最有可能对应的指令是什么：\n二<|im_end|>\n<|im_start|>assistant\n',
      output: '一加一<|im_end|>',
      system: '',
    })
    const { instruction, output } = labelExample(example, 'label-chat', 'alpaca')
    t.match(instruction, /^你的任务是反推指令[\s\S]*【文本】二【\/文本】$/)
    t.equal(output, '一加一')
    const marks = labelExample({ ...plain, output: 'a<|im_end|>b' }, 'label-kun', 'messages')
    t.match(marks.instruction, /\na<｜im_end｜>b$/, 'marks in the text are as a run sends them')
  },
)
