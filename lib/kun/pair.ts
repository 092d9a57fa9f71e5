/** Grades a finished pair by two questions of one token each: does the output answer the instruction, and follow its text? */
import type { Model } from '../llm/types.js'
import type { Column } from '../parquet/columns.js'
import { judgeOf } from './judge.js'
import type { PairOptions } from './options.js'
import { promptVersion, templateOf } from './prompts.js'
import { stageRanks } from './stage-ranks.js'
import { droppedWith, type KunStage, type Pair, withCells } from './types.js'

/**
 * Keeps pairs whose grades reach `answersAtLeast` and `followsAtLeast`; drops the rest as 'pair-low', or as 'pair-format'
 * if a reply is not a grade. The second question is asked only about pairs that pass the first.
 */
export function pairStage(model: Model, options: PairOptions): KunStage<Pair, Pair> {
  const questions = [
    { column: 'pair_answers', template: templateOf(options.promptAnswers), atLeast: options.answersAtLeast },
    { column: 'pair_follows', template: templateOf(options.promptFollows), atLeast: options.followsAtLeast },
  ].map((question) => ({ ...question, judge: judgeOf(model, options, question.template) }))
  const stageOrder = stageRanks.pair
  return {
    name: 'pair',
    stageOrder,
    promptVersion: questions.map(({ template }) => promptVersion(template)).join('+'),
    columns: pairColumns,
    ...(questions[0] && { form: questions[0].judge.form }),
    run: async (pair, { position, signal }) => {
      const { text, title, heading } = pair.candidate
      const fields = { text, title, heading, instruction: pair.instruction, output: pair.output ?? text }
      let graded = pair
      for (const [index, { column, judge, atLeast }] of questions.entries()) {
        const grade = await judge.grade({
          ...{ record: pair.id, stage: 'pair', stageOrder, fields, signal },
          position: [...position, index],
          unreadable: 'pair-format',
        })
        if ('drop' in grade) return droppedWith(graded, grade)
        graded = withCells(graded, { [column]: grade.score })
        if (grade.score < atLeast) {
          return droppedWith(graded, { drop: 'pair-low', detail: `${column} ${grade.score} < ${atLeast}` })
        }
      }
      return { emit: [graded] }
    },
  }
}

export const pairColumns: readonly Column[] = [
  { name: 'pair_answers', type: 'float64', nullable: true },
  { name: 'pair_follows', type: 'float64', nullable: true },
]
