/**
 * Instruction-following difficulty (IFD): how much an instruction helps a model to predict its answer. Two calls for each
 * pair: the answer alone, and the answer after the instruction.
 */
import type { Model } from '../llm/types.js'
import type { Column } from '../parquet/columns.js'
import type { IfdOptions } from './options.js'
import { difficultyOf, lossFault, lossRequests, perplexityOf, reducedToEndOf, reducedToEnds } from './prompt-loss.js'
import { promptVersion, templateOf } from './prompts.js'
import { stageRanks } from './stage-ranks.js'
import { droppedWith, type KunStage, type Pair, withCells } from './types.js'

/**
 * Keeps pairs whose difficulty is within `keepAtLeast` and `keepAtMost`, and whose answer has a perplexity of at most
 * `answerPerplexityMax`; drops the others as 'ifd-low', 'ifd-high' and 'answer-perplexity-high'. Null breaks no bound.
 *
 * @throws {EndpointError} a server of the model gives no log-probabilities of a prompt
 */
export function ifdStage(model: Model, options: IfdOptions): KunStage<Pair, Pair> {
  const template = templateOf(options.prompt)
  const request = lossRequests(model, 'ifd', options.model)
  const call = { stage: 'ifd', stageOrder: stageRanks.ifd, fault: lossFault } as const

  /** The output is the end of the prompt: what the template puts there is the same with and without the instruction. */
  function promptsOf({ candidate: { text, title, heading }, instruction, output }: Pair) {
    const fields = { text, title, heading, instruction }
    const { prompt: after = '' } = template.render({ ...fields, output: output ?? text })
    const { prompt: opening = '' } = template.render({ ...fields, output: '' })
    return { after, alone: after.slice(opening.length) }
  }

  return {
    name: 'ifd',
    stageOrder: call.stageOrder,
    promptVersion: promptVersion(template),
    columns: ifdColumns,
    run: async (pair, { position, signal }) => {
      const prompts = promptsOf(pair)
      const ask = (prompt: string, index: number, reduce: typeof reducedToEnds) =>
        model.ask({
          ...{ ...call, record: pair.id, position: [...position, index], signal },
          ...{ request: request(prompt), reduce },
        })
      const alone = await ask(prompts.alone, 0, reducedToEnds)
      if ('verdict' in alone) return { drop: alone.verdict.reason, detail: alone.verdict.detail }
      const ends = alone.reply.promptEnds ?? []
      if (ends.length === 0) return { emit: [withCells(pair, { ifd: null, answer_perplexity: null })] }
      const after = await ask(prompts.after, 1, reducedToEndOf(ends))
      if ('verdict' in after) return { drop: after.verdict.reason, detail: after.verdict.detail }
      const cells = { ifd: difficultyOf(after.reply, alone.reply), answer_perplexity: perplexityOf(alone.reply) }
      const measured = withCells(pair, cells)
      const dropped = droppedBy(cells, options)
      return dropped === null ? { emit: [measured] } : droppedWith(measured, dropped)
    },
  }
}

function droppedBy(
  { ifd, answer_perplexity: perplexity }: Readonly<Record<'ifd' | 'answer_perplexity', number | null>>,
  { keepAtLeast, keepAtMost, answerPerplexityMax }: IfdOptions,
) {
  if (ifd !== null && keepAtLeast !== undefined && ifd < keepAtLeast) {
    return { drop: 'ifd-low', detail: `${ifd} < ${keepAtLeast}` }
  }
  if (ifd !== null && keepAtMost !== undefined && ifd > keepAtMost) {
    return { drop: 'ifd-high', detail: `${ifd} > ${keepAtMost}` }
  }
  if (perplexity !== null && answerPerplexityMax !== undefined && perplexity > answerPerplexityMax) {
    return { drop: 'answer-perplexity-high', detail: `${perplexity} > ${answerPerplexityMax}` }
  }
  return null
}

export const ifdColumns: readonly Column[] = [
  { name: 'ifd', type: 'float64', nullable: true },
  { name: 'answer_perplexity', type: 'float64', nullable: true },
]
