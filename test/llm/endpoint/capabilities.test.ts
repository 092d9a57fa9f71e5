import t from 'tap'
import {
  acceptedBody,
  assumedCapabilities,
  commonCapabilities,
  parseCapabilities,
  requireCapabilities,
} from '../../../lib/llm/endpoint/capabilities.js'
import type { Capabilities } from '../../../lib/llm/types.js'

const found: Capabilities = {
  server: 'vllm 0.12.0',
  contextTokensMax: 4096,
  metrics: true,
  promptLists: true,
  logprobs: true,
  topLogprobs: 5,
  continues: true,
  maxTokensField: 'max_completion_tokens',
  chatTemplateKwargs: true,
  unsupported: ['min_p'],
}

t.test('Capabilities are read back from run.json as they were written', async (t) => {
  t.strictSame(parseCapabilities(JSON.parse(JSON.stringify({ writer: found }))), { writer: found })
  t.strictSame(parseCapabilities({}), {})
})

t.test(
  'A run.json of an earlier version is read: absent fields are assumed, and echo and tokenize ignored',
  async (t) => {
    const { topLogprobs: _, continues: __, maxTokensField: ___, ...earlier } = found
    const { writer } = parseCapabilities({ writer: { ...earlier, echo: true, tokenize: false } })
    t.strictSame(writer, { ...found, topLogprobs: 20, maxTokensField: 'max_tokens' })
    const refusing = { ...earlier, logprobs: false, unsupported: ['continue_final_message'] }
    t.match(parseCapabilities({ writer: refusing }).writer, { topLogprobs: null, continues: false })
    t.strictSame(parseCapabilities({ writer: {} }).writer, { ...assumedCapabilities(), continues: true })
  },
)

t.test('Capabilities of another type are refused', async (t) => {
  for (const stored of [{ writer: { ...found, logprobs: 'yes' } }, { writer: null }, 'none']) {
    t.throws(() => parseCapabilities(stored), { code: 'KUN_CORRUPT_FILE', message: /run\.json are not valid/ })
  }
})

t.test('A model can do what each of its endpoints can do', async (t) => {
  const other = {
    ...found,
    contextTokensMax: null,
    topLogprobs: 2,
    maxTokensField: 'max_tokens' as const,
    metrics: false,
  }
  t.strictSame(commonCapabilities([found, { ...other, server: 'tgi', unsupported: ['top_k'] }]), {
    ...found,
    server: 'tgi, vllm 0.12.0',
    topLogprobs: 2,
    metrics: false,
    unsupported: ['min_p', 'top_k'],
  })
  t.match(commonCapabilities([found, { ...found, topLogprobs: null }]), { topLogprobs: null })
  t.match(commonCapabilities([]), { metrics: false, contextTokensMax: null, unsupported: [] })
})

t.test('An endpoint that lacks a pinned capability is refused, and the message names all of them', async (t) => {
  requireCapabilities('a', { ...found, topLogprobs: 20 }, found)
  const poor = { ...found, continues: false, topLogprobs: 2, unsupported: ['min_p', 'top_k'] }
  t.throws(() => requireCapabilities('a', poor, found), {
    code: 'KUN_ENDPOINT',
    message: /^a lacks continues, top_k, 5 log-probabilities/,
  })
})

t.test('A body has the fields that the server accepts, under its names', async (t) => {
  t.strictSame(acceptedBody({ max_tokens: 8, min_p: 0.1, seed: 1 }, found), { max_completion_tokens: 8, seed: 1 })
  t.strictSame(acceptedBody({ max_tokens: 8 }, assumedCapabilities()), { max_tokens: 8 })
})
