/** Grades the text of a chunk before an instruction is written for it: is it fit to train on? */
import type { Model } from '../llm/types.js'
import type { Column } from '../parquet/columns.js'
import { judgeOf } from './judge.js'
import type { ScreenOptions } from './options.js'
import { promptVersion, templateOf } from './prompts.js'
import { stageRanks } from './stage-ranks.js'
import { type Candidate, droppedWith, type KunStage, withCells } from './types.js'

/**
 * Keeps chunks whose text scores at least `keepAtLeast`; drops the rest as 'screen-low', or as 'screen-format' if the
 * reply has neither label, or their probability is below `massAtLeast`. The grade is read as in the score stage.
 */
export function screenStage(model: Model, options: ScreenOptions): KunStage<Candidate, Candidate> {
  const template = templateOf(options.prompt)
  const judge = judgeOf(model, options, template)
  return {
    name: 'screen',
    stageOrder: stageRanks.screen,
    promptVersion: promptVersion(template),
    columns: screenColumns,
    form: judge.form,
    run: async (candidate, call) => {
      const { id, text, title, heading } = candidate
      const graded = await judge.grade({
        ...call,
        record: id,
        stage: 'screen',
        stageOrder: stageRanks.screen,
        fields: { text, title, heading, instruction: '' },
        unreadable: 'screen-format',
      })
      if ('drop' in graded) return graded
      const screened = withCells(candidate, { screen: graded.score })
      if (graded.score >= options.keepAtLeast) return { emit: [screened] }
      const detail = `${graded.score} < ${options.keepAtLeast} (${graded.kind})`
      return droppedWith(screened, { drop: 'screen-low', detail })
    },
  }
}

export const screenColumns: readonly Column[] = [{ name: 'screen', type: 'float64', nullable: true }]
