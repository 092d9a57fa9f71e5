import t from 'tap'
import { damagedCharacter } from '../../lib/kun/replies/damaged-text.js'
import { gradeOf } from '../../lib/kun/replies/grade.js'
import { scoreFault, textFault } from '../../lib/kun/replies/reply-fault.js'
import type { Reply } from '../../lib/storage/replies/types.js'

const reply = (more: Partial<Reply>): Reply => ({
  text: '先晾晒三天，再用麻绳封住缝隙。',
  finishReason: 'stop',
  promptTokens: 1,
  completionTokens: 1,
  ...more,
})

t.test('a reply that did not end by itself is a fault, for every finish reason of a server', async (t) => {
  const endings: Readonly<Record<string, readonly string[]>> = {
    whole: ['stop', 'eos', 'eos_token', 'stop_sequence', 'end_turn', 'complete', 'COMPLETE', 'STOP', 'normal'],
    'cut-off': ['length', 'max_tokens', 'MAX_TOKENS', 'model_length'],
    filtered: ['content_filter', 'sensitive', 'SAFETY', 'risk', 'refusal'],
    aborted: ['abort', 'aborted', 'cancelled', 'error', 'network_error', 'insufficient_system_resource'],
    unfinished: ['missing', 'tool_calls', 'function_call', 'pause_turn', 'unknown', 'stopping soon', '7'],
  }
  for (const [ending, reasons] of Object.entries(endings)) {
    for (const finishReason of reasons) {
      const found = `finish_reason ${finishReason}`
      const expected = ending === 'whole' ? null : ending === 'cut-off' ? ending : { fault: ending, found }
      t.strictSame(textFault(reply({ finishReason })), expected, finishReason)
    }
  }
})

t.test('a reply with damaged or invisible characters is a fault, and the character is named', async (t) => {
  const damaged = [
    '\ufffd',
    '\0',
    '\x07',
    '\x0b',
    '\x0c',
    '\x1b[31m',
    '\x7f',
    '\x85',
    '\x9b',
    '\u200b',
    '\u200e',
    '\u200f',
  ]
  damaged.push(
    '\u061c',
    '\u202a',
    '\u202e',
    '\u2060',
    '\u2066',
    '\u2069',
    '\ufeff',
    '\ufdd0',
    '\ufffc',
    '\ufffe',
    '\uffff',
  )
  damaged.push('\ud800', '\udc00', '\u{1fffe}', '\u{10ffff}', '\u{e0001}', '\u{e0041}', '\u200d', '\u200c', '\u00ad')
  for (const character of damaged) {
    const text = `先晾晒三天${character}，再用麻绳。`
    const code = (character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')
    t.strictSame(textFault(reply({ text })), { fault: 'damaged', found: `U+${code}` })
  }
})

t.test('line ends, tabs, emoji, flags and words of other scripts are not damage', async (t) => {
  const whole = [
    '甲\r\n乙\t丙\n',
    '👩‍👩‍👧‍👦',
    '👩🏽‍🚀',
    '❤️‍🔥',
    '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
    'می‌خواهم',
    'क्‍ष',
    '葛\u{e0100}',
    '㈠①',
    'naïve café',
    '𠮷野家',
    '\ue000',
  ]
  for (const text of whole) t.equal(damagedCharacter(text), null, text)
})

t.test('a reply of thoughts only, or of unclosed thoughts, is a fault', async (t) => {
  t.equal(textFault(reply({ text: '', onlyThoughts: true })), 'only-thoughts')
  t.equal(textFault(reply({ text: '<x:think>没有结束' })), 'thought-markers')
  t.equal(textFault(reply({ text: '' })), 'empty')
})

t.test('a score of one token may end at its limit, and its log-probabilities must be numbers', async (t) => {
  const firstTokenLogprobs = { 好: -0.1, 差: -2.4 }
  const one = (more: Partial<Reply>) =>
    scoreFault(reply({ text: '好', finishReason: 'length', firstTokenLogprobs, ...more }))
  t.equal(one({}), null)
  t.equal(one({ finishReason: 'stop' }), null)
  t.match(one({ finishReason: 'abort' }), { fault: 'aborted' })
  t.match(one({ finishReason: 'missing' }), { fault: 'unfinished' })
  t.equal(one({ text: '' }), null, 'a reasoning parser took the text')
  t.equal(one({ firstTokenLogprobs: { 好: null, 差: -2.4 } }), 'logprobs')
  t.equal(scoreFault(reply({ text: ' ', finishReason: 'length' })), 'empty')
  t.equal(
    scoreFault(reply({ text: '好', finishReason: 'length' })),
    'logprobs',
    'no log-probabilities, or ids for tokens',
  )
})

t.test('a label in pieces, or as noise beside another token, does not count as present', async (t) => {
  const grade = (text: string, firstTokenLogprobs: Record<string, number>) =>
    gradeOf(reply({ text, finishReason: 'length', firstTokenLogprobs }), true)
  const thinks = { '<think>': Math.log(0.99999), 好: Math.log(1e-6), 差: Math.log(1e-7) }
  t.match(grade('<think>', thinks), { kind: 'rule', readable: false })
  const pieces = { '\ufffd': Math.log(0.9), 好: Math.log(0.05), 中: Math.log(1e-4) }
  t.match(grade('\ufffd', pieces), { kind: 'rule', readable: false }, '差 may be the piece')
  const unlikely = { 好: Math.log(0.9), '\ufffd': Math.log(0.1), 中: Math.log(1e-6) }
  t.match(grade('好', unlikely), { kind: 'logprob', score: 0.9 }, 'the piece bounds what 差 can be')
})
