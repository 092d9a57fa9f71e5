/** Budget of each stage's longest request, also of stages whose requests only read a prompt. */
import t from 'tap'
import { stageBudgets } from '../../../lib/cli/plan/context-budget.js'
import { parseRecipe } from '../../../lib/recipe/index.js'

t.test('every stage has a budget: those that only read a prompt have no reply', (t) => {
  const recipe = parseRecipe(
    `name: all
sources: [{ split: s, files: [a.jsonl], text: text }]
models: { m: { model: m, endpoints: [http://127.0.0.1:9/v1] } }
prepare: { chunk: { tokensMax: 300 } }
kun:
  perplexity: { model: m, keepAtMost: 100 }
  screen: { model: m }
  label: { model: m, sampling: { max_tokens: 200 } }
  score: { model: m }
  polish: { model: m, mode: distil }
  pair: { model: m }
  ifd: { model: m }
output: { dir: out }
`,
    'all.yaml',
  )
  const budgets = Object.fromEntries(stageBudgets(recipe).map(({ stage, ...budget }) => [stage, budget]))
  t.strictSame(Object.keys(budgets), ['perplexity', 'screen', 'label', 'score', 'polish', 'pair', 'ifd'])
  t.match(budgets, {
    perplexity: { recordTokens: 300, replyTokens: 1 },
    screen: { recordTokens: 300, replyTokens: 64 },
    label: { recordTokens: 450, replyTokens: 200 },
    score: { recordTokens: 150, replyTokens: 64 },
    polish: { recordTokens: 150 },
    pair: { recordTokens: 750, replyTokens: 64 },
    ifd: { recordTokens: 450, replyTokens: 1 },
  })
  for (const [stage, { promptTokens }] of Object.entries(budgets)) t.ok(promptTokens > 0, stage)
  t.end()
})
