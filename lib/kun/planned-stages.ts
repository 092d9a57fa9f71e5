/** The model stages that a recipe asks for, in order: names, models and columns, without building them. */
import type { Column } from '../parquet/columns.js'
import type { KunOptions } from './options.js'
import { scoreColumns } from './score.js'
import { screenColumns } from './screen.js'
import { type Phase, phases } from './stage-ranks.js'

export interface PlannedStage {
  /** As in counters and rejects. */
  readonly name: string
  readonly kind: Exclude<Phase, 'dedup'>
  /** The recipe's name for its model. */
  readonly model: string
  /** Columns that it adds to the rows. */
  readonly columns: readonly Column[]
}

/** Returns the stages, up to a phase. */
export function plannedStages({ screen, label, score, polish }: KunOptions, through: Phase = 'pair'): PlannedStage[] {
  const stages: PlannedStage[] = [
    ...(screen ? [{ name: 'screen', kind: 'screen', model: screen.model, columns: screenColumns } as const] : []),
    { name: 'label', kind: 'label', model: label.model, columns: [] },
    ...(score ? [{ name: 'score', kind: 'score', model: score.model, columns: scoreColumns } as const] : []),
    ...(polish ? [{ name: 'polish', kind: 'polish', model: polish.model, columns: [] } as const] : []),
  ]
  return stages.filter(({ kind }) => phases.indexOf(kind) <= phases.indexOf(through))
}

/** Returns the columns that the stages of a recipe add to its rows, also in a phase, which writes none. */
export function rowColumns(kun: KunOptions): readonly Column[] {
  return plannedStages(kun).flatMap(({ columns }) => columns)
}
