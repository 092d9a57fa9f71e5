/** Grades the instruction of a pair without its text: a grade of both does not separate good from bad (the Kun paper). */
import type { Model } from '../llm/types.js'
import type { Column } from '../parquet/columns.js'
import { judgeOf } from './judge.js'
import type { ScoreOptions } from './options.js'
import { promptVersion, templateOf } from './prompts.js'
import { stageRanks } from './stage-ranks.js'
import { droppedWith, type KunStage, type Pair, withCells } from './types.js'

/**
 * Keeps pairs whose instruction scores at least `keepAtLeast`; drops the rest as 'score-low', or as 'score-format' if the
 * reply has neither label, or their probability is below `massAtLeast`.
 */
export function scoreStage(model: Model, options: ScoreOptions): KunStage<Pair, Pair> {
  const template = templateOf(options.prompt)
  const judge = judgeOf(model, options, template)
  return {
    name: 'score',
    stageOrder: stageRanks.score,
    promptVersion: promptVersion(template),
    columns: scoreColumns,
    form: judge.form,
    run: async (pair, call) => {
      const { text, title, heading } = pair.candidate
      const { instruction } = pair
      const graded = await judge.grade({
        ...call,
        record: pair.id,
        stage: 'score',
        stageOrder: stageRanks.score,
        fields: { instruction, text, title, heading },
        unreadable: 'score-format',
      })
      if ('drop' in graded) return graded
      const { score, kind, mass } = graded
      const scored = withCells(pair, { score, score_kind: kind, score_mass: mass })
      if (score >= options.keepAtLeast) return { emit: [scored] }
      const detail = `${score} < ${options.keepAtLeast} (${kind}): ${instruction}`
      return droppedWith(scored, { drop: 'score-low', detail })
    },
  }
}

/** Columns of the grade; `score_mass` is null without log-probabilities. */
export const scoreColumns: readonly Column[] = [
  { name: 'score', type: 'float64', nullable: true },
  { name: 'score_kind', type: 'string', nullable: true },
  { name: 'score_mass', type: 'float64', nullable: true },
]
