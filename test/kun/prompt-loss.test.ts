/** Perplexity and instruction-following difficulty, from replies as servers send them. */
import t from 'tap'
import { Child } from '../../lib/core/types.js'
import { ifdStage } from '../../lib/kun/ifd.js'
import { ifdOptions, perplexityOptions } from '../../lib/kun/options.js'
import { perplexityStage } from '../../lib/kun/perplexity.js'
import { difficultyOf, lossFault, perplexityOf, reducedToEndOf, reducedToEnds } from '../../lib/kun/prompt-loss.js'
import type { Candidate, Pair } from '../../lib/kun/types.js'
import { parseReplies } from '../../lib/llm/protocol/reply-body.js'
import type { Call, Capabilities, Model } from '../../lib/llm/types.js'
import type { Reply } from '../../lib/storage/replies/types.js'

/** The reply of a server to a prompt of these tokens. */
function replyTo(tokens: readonly string[], logprobs: readonly (number | null)[]): Reply {
  const body = { echo: true, logprobs: 0, max_tokens: 0 }
  const choice = {
    index: 0,
    text: tokens.join(''),
    finish_reason: 'length',
    logprobs: { tokens, token_logprobs: logprobs },
  }
  const usage = { prompt_tokens: tokens.length, completion_tokens: 0 }
  const context = { endpoint: 'a', fields: [], prompts: 1, body }
  const [reply] = parseReplies(JSON.stringify({ choices: [choice], usage }), context)
  return reply as Reply
}

// vLLM 0.16.0, Qwen3-Coder-Next, echo and logprobs: github.com/ggml-org/llama.cpp/pull/15189
const boiling = {
  tokens: ['The', ' step', ' of', ' boiling', ' water', ' is', ':', ' '],
  logprobs: [
    ...[null, -8.818763732910156, -1.552642822265625, -13.55989933013916],
    ...[-2.0115487575531006, -2.2331151962280273, -8.53701114654541, -1.2870503664016724],
  ],
}

t.test('perplexity is e to the mean negative log-probability of all tokens but the first', async (t) => {
  const reply = reducedToEnds(replyTo(boiling.tokens, boiling.logprobs))
  const sum = 8.818763732910156 + 1.552642822265625 + 13.55989933013916 + 2.0115487575531006
  const loss = (sum + 2.2331151962280273 + 8.53701114654541 + 1.2870503664016724) / 7
  t.equal(perplexityOf(reply), Number(Math.exp(loss).toPrecision(6)))
  t.equal(perplexityOf(reply), 227.825)
  t.equal(reply.promptLogprobs, undefined, 'the tokens are not stored')
  t.equal(reply.text, '', 'nor the text, which is the prompt')
  t.ok(JSON.stringify(reply).length < 800, `${JSON.stringify(reply).length} bytes are stored`)
  t.strictSame(JSON.parse(JSON.stringify(reply)), reply)
  t.equal(perplexityOf(reducedToEnds(replyTo(['a', 'b'], [null, 0]))), 1)
  t.equal(perplexityOf(reducedToEnds(replyTo(['a'], [null]))), null, 'no token has a value')
})

t.test('difficulty compares the loss of the tokens that the answer has in both prompts', async (t) => {
  const alone = reducedToEnds(replyTo(['竹子', '一生', '开花'], [null, -4, -2]))
  const after = replyTo(['怎样', '\n', '竹子', '一生', '开花'], [null, -1, -3, -1, -0.5])
  // The first token of the answer has no value alone: it counts in neither.
  t.equal(difficultyOf(reducedToEndOf(alone.promptEnds ?? [])(after), alone), 1.5 / 6)

  // A tokenizer that joins the first token with what is before it, and one that marks the beginning of a text.
  const joined = replyTo(['怎样', '\n竹', '子', '一生', '开花'], [null, -1, -3, -1, -0.5])
  t.equal(difficultyOf(reducedToEndOf(alone.promptEnds ?? [])(joined), alone), 1.5 / 6)
  const marked = reducedToEnds(replyTo(['<s>', '▁', '竹子', '一生', '开花'], [null, -1, -5, -4, -2]))
  t.equal(difficultyOf(reducedToEndOf(marked.promptEnds ?? [])(after), marked), Number((4.5 / 11).toPrecision(6)))
})

t.test('a reply without a value for each token is a fault', async (t) => {
  const faultOf = (tokens: string[], logprobs: (number | null)[]) => lossFault(reducedToEnds(replyTo(tokens, logprobs)))
  t.equal(faultOf(['a', 'b', 'c'], [null, -1, -2]), null)
  t.equal(faultOf(['a', 'b', 'c'], [-3, -1, -2]), null, 'a server may give one for the first')
  t.equal(faultOf(['a', 'b', 'c'], [null, null, -2]), 'logprobs')
  t.equal(faultOf(['a', 'b', 'c'], [null, -1]), 'logprobs', 'lists of different length')
  t.equal(faultOf(['a', 'b', 'c'], [null, -1, 7]), 'logprobs', 'a log-probability over 0')
  const other = reducedToEndOf([{ tokens: 2, logprob: -1, hash: 'of other tokens' }])
  t.equal(lossFault(other(replyTo(['a', 'b', 'c'], [null, -1, -2]))), 'logprobs', 'no end in common')
})

t.test('an answer that is certain alone has no difficulty', async (t) => {
  const alone = reducedToEnds(replyTo(['a', 'b'], [null, 0]))
  t.equal(difficultyOf(reducedToEndOf(alone.promptEnds ?? [])(replyTo(['x', 'a', 'b'], [null, -1, 0])), alone), null)
})

const candidate: Candidate = {
  ...{ id: 'c1', split: 's', shard: 'a.json', offset: 0, chunk: 0, key: '', title: '', heading: '' },
  ...{ text: '竹子一生只开一次花。', tokens: 8, columns: {} },
}
const pair: Pair = {
  ...{ candidate, variant: 0, id: 'p1', instruction: '竹子<|im_end|>何时开花？', labelAttempt: 0 },
  ...{ output: '一生一次。', columns: { score: 0.9 } },
}
const call = { position: [4, 0], signal: new AbortController().signal }

/** A model whose log-probability of a character is −2, or −1 after an instruction. */
function characterModel(promptLogprobs?: Capabilities['promptLogprobs']) {
  const calls: Call[] = []
  const capabilities = { server: 'sglang 0.5', ...(promptLogprobs && { promptLogprobs }) } as unknown as Capabilities
  const model: Model = {
    ...{ name: 'Qwen/Qwen3-0.6B', capabilities },
    ask: async (asked) => {
      calls.push(asked)
      const tokens = [...(asked.request.prompt ?? '')]
      const value = asked.request.prompt?.includes('指令') ? -1 : -2
      const reply = asked.reduce?.(replyTo(tokens, [null, ...tokens.slice(1).map(() => value)])) as Reply
      t.equal(asked.fault(reply), null)
      return { reply, attempt: 0 }
    },
  }
  return { model, calls }
}

t.test('the perplexity stage sends the text alone, and drops by its bounds', async (t) => {
  const { model, calls } = characterModel(['echo-one'])
  const stage = (bounds: object) => perplexityStage(model, perplexityOptions.parse({ model: 'm', ...bounds }))
  const kept = await stage({}).run(candidate, call)
  t.match(kept, { emit: [{ columns: { perplexity: 7.38906 } }] })
  t.match(calls[0], { record: 'c1', stage: 'perplexity', request: { kind: 'completion', streamed: false } })
  t.strictSame(calls[0]?.request.sampling, { temperature: 0, echo: true, logprobs: 1, max_tokens: 1 })
  t.equal(calls[0]?.request.prompt, candidate.text)
  const dropOf = async (bounds: object) => {
    const outcome = await stage(bounds).run(candidate, call)
    const [child] = 'emit' in outcome ? outcome.emit : []
    return child instanceof Child ? child.outcome : null
  }
  t.strictSame(await dropOf({ keepAtMost: 7 }), { drop: 'perplexity-high', detail: '7.38906 > 7' })
  t.strictSame(await dropOf({ keepAtLeast: 8 }), { drop: 'perplexity-low', detail: '7.38906 < 8' })
  t.equal(await dropOf({ keepAtMost: 7.4, keepAtLeast: 7.3 }), null)
})

t.test('the ifd stage asks about the answer alone, then after its instruction, and drops by its bounds', async (t) => {
  const { model, calls } = characterModel(['echo'])
  const stage = (options: object) => ifdStage(model, ifdOptions.parse({ model: 'm', ...options }))
  const kept = await stage({}).run(pair, call)
  t.match(kept, { emit: [{ columns: { score: 0.9, ifd: 0.5, answer_perplexity: 7.38906 } }] })
  t.strictSame(
    calls.map(({ request, position }) => [request.prompt, position]),
    [
      ['一生一次。', [4, 0, 0]],
      [
        '下面是一条指令，请写出对它的回答。\n\n### 指令：\n竹子<｜im_end｜>何时开花？\n\n### 回答：\n一生一次。',
        [4, 0, 1],
      ],
    ],
  )
  const reasonOf = async (options: object) => {
    const outcome = await stage(options).run(pair, call)
    const [child] = 'emit' in outcome ? outcome.emit : []
    return child instanceof Child && 'drop' in child.outcome ? child.outcome.drop : null
  }
  t.equal(await reasonOf({ keepAtMost: 0.4 }), 'ifd-high')
  t.equal(await reasonOf({ keepAtLeast: 0.6 }), 'ifd-low')
  t.equal(await reasonOf({ answerPerplexityMax: 7 }), 'answer-perplexity-high')
  const prompt = {
    kind: 'completion',
    text: '<|im_start|>user\n指令{instruction}<|im_end|>\n<|im_start|>assistant\n{output}',
  }
  t.equal(await reasonOf({ prompt, keepAtMost: 1 }), null)
  t.match(calls.at(-1)?.request.prompt, /^<\|im_start\|>user\n指令竹子<｜im_end｜>何时开花？<\|im_end\|>\n/)
  const single = await stage({}).run({ ...pair, output: '好' }, call)
  t.match(single, { emit: [{ columns: { ifd: null, answer_perplexity: null } }] }, 'an output of one token')
})

t.test('a prompt of kun.ifd is a completion that ends with the output', async (t) => {
  const faults = (prompt: object) => ifdOptions.safeParse({ model: 'm', prompt }).error?.message ?? ''
  t.match(faults({ text: '{instruction}\n{output}' }), /found chat; the prompt of kun\.ifd is not continued/)
  t.match(
    faults({ kind: 'completion', text: '{instruction}\n{output}。' }),
    /needs \{instruction\}, and \{output\} at its end/,
  )
  t.match(faults({ kind: 'completion', text: '{output}' }), /needs \{instruction\}/)
})

t.test(
  'a server that gives no log-probabilities of a prompt is refused, with the capability and the stage',
  async (t) => {
    for (const promptLogprobs of [undefined, []]) {
      const { model } = characterModel(promptLogprobs)
      t.throws(() => perplexityStage(model, perplexityOptions.parse({ model: 'm' })), {
        code: 'KUN_ENDPOINT',
        message:
          'kun.perplexity needs the log-probabilities of a prompt (echo with logprobs, or prompt_logprobs), which sglang 0.5 does not give for Qwen/Qwen3-0.6B. Serve the model with vLLM or SGLang, or remove kun.perplexity',
        details: { model: 'm' },
      })
      t.throws(() => ifdStage(model, ifdOptions.parse({ model: 'm' })), { message: /^kun\.ifd needs/ })
    }
  },
)
