import t from 'tap'
import { parseReplies } from '../../../lib/llm/protocol/reply-body.js'

/** The reply that is read from a choice, for a request with these fields. */
function read(body: Record<string, unknown>, choice: Record<string, unknown>, usage: object) {
  const context = { endpoint: 'a', fields: [], prompts: 1, body }
  return parseReplies(
    JSON.stringify({ choices: [{ index: 0, finish_reason: 'length', ...choice }], usage }),
    context,
  )[0]
}

const three = { tokens: ['竹', '子', '花'], token_logprobs: [null, -2, -3] }
const four = { tokens: [...three.tokens, '开'], token_logprobs: [...three.token_logprobs, -0.1] }
const wanted = { tokens: ['竹', '子', '花'], logprobs: [null, -2, -3] }

t.test('the tokens of a prompt are read in each form, without a token that was generated', async (t) => {
  const echo = read(
    { echo: true, logprobs: 0, max_tokens: 0 },
    { text: '竹子花', logprobs: three },
    { prompt_tokens: 3, completion_tokens: 0 },
  )
  t.strictSame(echo?.promptLogprobs, wanted)
  t.strictSame(echo?.text, '', 'the repeated prompt is not the text of the reply')
  t.match(echo, { promptTokens: 3, completionTokens: 0, usageEstimated: undefined })
  const one = read(
    { echo: true, logprobs: 1, max_tokens: 1 },
    { text: '竹子花开', logprobs: four },
    { prompt_tokens: 3, completion_tokens: 1 },
  )
  t.strictSame(one?.promptLogprobs, wanted)
  const field = read(
    { prompt_logprobs: 0, max_tokens: 1 },
    {
      text: '开',
      prompt_logprobs: [null, { 11: { logprob: -2, rank: 3, decoded_token: '子' } }, { 12: { logprob: -3, rank: 1 } }],
    },
    { prompt_tokens: 3, completion_tokens: 1 },
  )
  t.strictSame(field?.promptLogprobs, { tokens: ['', '11', '12'], logprobs: [null, -2, -3] })
})

t.test('a response that lacks them has none, and one that breaks off a list has none', async (t) => {
  const usage = { prompt_tokens: 3, completion_tokens: 1 }
  const echo = { echo: true, logprobs: 1, max_tokens: 1 }
  const none = (choice: object) => t.equal(read(echo, { text: '', ...choice }, usage)?.promptLogprobs, undefined)
  none({ logprobs: null })
  none({ logprobs: { tokens: ['竹'], token_logprobs: [] } })
  none({ logprobs: { tokens: [1, 2], token_logprobs: [null, -1] } })
  none({ logprobs: { tokens: ['开'], token_logprobs: [-0.1] } }) // echo was ignored: only the new token
  t.equal(read({ prompt_logprobs: 0 }, { text: '', prompt_logprobs: null }, usage)?.promptLogprobs, undefined)
  t.equal(read({ logprobs: 1 }, { text: '开', logprobs: four }, usage)?.promptLogprobs, undefined, 'not requested')
})

t.test('a value that is no log-probability is null', async (t) => {
  const logprobs = { tokens: ['a', 'b', 'c', 'd'], token_logprobs: [null, 'x', 3, -1] }
  const reply = read({ echo: true, logprobs: 0, max_tokens: 0 }, { text: 'abcd', logprobs }, {})
  t.strictSame(reply?.promptLogprobs?.logprobs, [null, null, null, -1])
})
