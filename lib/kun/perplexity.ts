/** Measures how well a model predicts the text of a chunk, before an instruction is written for it. */
import type { Model } from '../llm/types.js'
import type { Column } from '../parquet/columns.js'
import type { PerplexityOptions } from './options.js'
import { lossFault, lossRequests, perplexityOf, reducedToEnds } from './prompt-loss.js'
import { promptVersion, templateOf } from './prompts.js'
import { stageRanks } from './stage-ranks.js'
import { type Candidate, droppedWith, type KunStage, withCells } from './types.js'

/**
 * Keeps chunks whose perplexity is within `keepAtLeast` and `keepAtMost`; drops the others as 'perplexity-low' and
 * 'perplexity-high'. Null, for a text of one token, breaks no bound.
 *
 * @throws {EndpointError} a server of the model gives no log-probabilities of a prompt
 */
export function perplexityStage(model: Model, options: PerplexityOptions): KunStage<Candidate, Candidate> {
  const template = templateOf('plain')
  const request = lossRequests(model, 'perplexity', options.model)
  const stageOrder = stageRanks.perplexity
  return {
    name: 'perplexity',
    stageOrder,
    promptVersion: promptVersion(template),
    columns: perplexityColumns,
    run: async (candidate, call) => {
      const { id, text, title, heading } = candidate
      const { prompt = '' } = template.render({ text, title, heading, instruction: '' })
      const answer = await model.ask({
        ...call,
        ...{ record: id, stage: 'perplexity', stageOrder, request: request(prompt) },
        ...{ fault: lossFault, reduce: reducedToEnds },
      })
      if ('verdict' in answer) return { drop: answer.verdict.reason, detail: answer.verdict.detail }
      const perplexity = perplexityOf(answer.reply)
      const measured = withCells(candidate, { perplexity })
      const { keepAtLeast, keepAtMost } = options
      if (perplexity !== null && keepAtMost !== undefined && perplexity > keepAtMost) {
        return droppedWith(measured, { drop: 'perplexity-high', detail: `${perplexity} > ${keepAtMost}` })
      }
      if (perplexity !== null && keepAtLeast !== undefined && perplexity < keepAtLeast) {
        return droppedWith(measured, { drop: 'perplexity-low', detail: `${perplexity} < ${keepAtLeast}` })
      }
      return { emit: [measured] }
    },
  }
}

export const perplexityColumns: readonly Column[] = [{ name: 'perplexity', type: 'float64', nullable: true }]
