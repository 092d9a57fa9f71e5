import t from 'tap'
import { readPersonal } from '../../lib/kun/replies/personal.js'
import type { Reading } from '../../lib/kun/replies/types.js'

/** Rejects contact details, as the readers of replies do. */
const read = (text: string): Reading => ({
  text,
  fault: /1391234|@/.test(text)
    ? { reason: 'output-keyword', detail: '' }
    : text.length < 3
      ? { reason: 'output-too-short', detail: '' }
      : null,
})
const plain = (text: string): Reading => ({ text, fault: text === '' ? { reason: 'empty-reply', detail: '' } : null })

t.test('drop: personal data is the fault of a reply that has no other', async (t) => {
  const answer = '请联系13912345678或加QQ：123456789。'
  t.strictSame(readPersonal(answer, 'drop', plain, 'output-personal'), {
    text: answer,
    fault: { reason: 'output-personal', detail: '1 phone, 1 qq' },
    masked: {},
  })
  t.match(readPersonal(answer, 'drop', read, 'output-personal'), { fault: { reason: 'output-keyword' } })
  t.match(readPersonal('好的答案', 'drop', read, 'output-personal'), { text: '好的答案', fault: null })
})

t.test('mask and keep: other checks do not see the data', async (t) => {
  const answer = '请联系13912345678。'
  t.strictSame(readPersonal(answer, 'mask', read, 'output-personal'), {
    text: '请联系〔电话〕。',
    fault: null,
    masked: { phone: 1 },
  })
  t.strictSame(readPersonal(answer, 'keep', read, 'output-personal'), { text: answer, fault: null, masked: {} })
  t.match(readPersonal('短', 'mask', read, 'output-personal'), { fault: { reason: 'output-too-short' } })
})
