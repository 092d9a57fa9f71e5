/** Grades the instruction of a pair without its text: a grade of both does not separate good from bad (the Kun paper). */
import type { Capabilities, Model } from '../llm/types.js'
import type { Column } from '../parquet/columns.js'
import { kunSampling, type ScoreOptions, samplingOf } from './options.js'
import { prefillScore, promptVersion, templateOf } from './prompts.js'
import { shortened } from './replies/excerpt.js'
import { gradeOf, topLogprobsMax } from './replies/grade.js'
import { scoreFault, textFault } from './replies/reply-fault.js'
import type { KunStage, Pair } from './types.js'

/**
 * Keeps pairs whose instruction scores at least `keepAtLeast`; drops the rest as 'score-low', or as 'score-format' if the
 * reply has neither label, or their probability is below `massAtLeast`.
 *
 * The pinned capabilities decide the form of the request: the judge's turn opened with 【, and one token at temperature 0
 * with log-probabilities; or a reply with the written word.
 */
export function scoreStage(model: Model, options: ScoreOptions): KunStage<Pair, Pair> {
  const template = templateOf(options.prompt)
  const prefilled = readsLogprobs(options.method, template.kind, model.capabilities)

  function request({ instruction, candidate: { text, title, heading } }: Pair) {
    const pieces = template.render({ instruction, text, title, heading })
    if (!prefilled) return { ...pieces, sampling: samplingOf(kunSampling, template.sampling, options.sampling) }
    const opened = prefillScore(pieces)
    const topLogprobs = model.capabilities.topLogprobs ?? topLogprobsMax
    const logprobs = pieces.kind === 'chat' ? { logprobs: true, top_logprobs: topLogprobs } : { logprobs: topLogprobs }
    // The template's stop texts and the recipe's sampling apply to the written form only.
    return { ...opened.pieces, sampling: { ...oneToken, ...logprobs, ...opened.sampling } }
  }

  return {
    name: 'score',
    stageOrder: 1,
    promptVersion: promptVersion(template),
    columns: scoreColumns,
    form: prefilled
      ? 'scores from the probabilities of 好 and 差'
      : 'scores 1 or 0 by the published rule, 【好】 or 【差】',
    run: async (pair, { position, signal }) => {
      const answer = await model.ask({
        record: pair.id,
        position,
        stage: 'score',
        stageOrder: 1,
        request: request(pair),
        fault: prefilled ? scoreFault : textFault,
        signal,
      })
      if ('verdict' in answer) return { drop: answer.verdict.reason, detail: answer.verdict.detail }
      const { score, kind, mass, readable } = gradeOf(answer.reply, prefilled)
      if (mass !== null && mass < options.massAtLeast) {
        return { drop: 'score-format', detail: `mass ${mass} < ${options.massAtLeast}` }
      }
      if (!readable) {
        return {
          drop: 'score-format',
          detail: `neither 好 nor 差: ${shortened(answer.reply.text, repliedCharsMax)}`,
        }
      }
      if (score < options.keepAtLeast) {
        return { drop: 'score-low', detail: `${score} < ${options.keepAtLeast} (${kind}): ${pair.instruction}` }
      }
      const cells = { score, score_kind: kind, score_mass: mass }
      return { emit: [{ ...pair, columns: { ...pair.columns, ...cells } }] }
    },
  }
}

/** Columns of the grade; `score_mass` is null without log-probabilities. */
export const scoreColumns: readonly Column[] = [
  { name: 'score', type: 'float64', nullable: true },
  { name: 'score_kind', type: 'string', nullable: true },
  { name: 'score_mass', type: 'float64', nullable: true },
]

/** Characters of a judge's reply that a reject shows. */
const repliedCharsMax = 60

const oneToken = { temperature: 0, top_p: 1, repetition_penalty: 1, max_tokens: 1 } as const

/** 'auto' needs log-probabilities and, in a chat, a server that continues an opened message. */
function readsLogprobs(
  method: ScoreOptions['method'],
  kind: 'chat' | 'completion',
  { logprobs, continues }: Capabilities,
): boolean {
  if (method !== 'auto') return method === 'logprob'
  return logprobs && (kind === 'completion' || continues)
}
