/** The model stages that a recipe asks for, in order: names, models and columns, without building them. */
import type { Column } from '../parquet/columns.js'
import { type ColumnOptions, columnOf } from './column-options.js'
import { ifdColumns } from './ifd.js'
import { labelColumns } from './label.js'
import type { KunOptions } from './options.js'
import { pairColumns } from './pair.js'
import { perplexityColumns } from './perplexity.js'
import { polishTemplate } from './polish.js'
import { promptVersion, templateOf } from './prompts.js'
import { scoreColumns } from './score.js'
import { screenColumns } from './screen.js'
import { columnRank, type Phase, phases, stageRanks } from './stage-ranks.js'
import { supportColumns } from './support.js'

/** Stages whose options are a field of `kun`. */
export type BuiltInStage = Exclude<Phase, 'dedup'>

export type PlannedStage = StagePlan &
  ({ readonly kind: BuiltInStage; readonly column: null } | { readonly kind: 'column'; readonly column: ColumnOptions })

interface StagePlan {
  /** As in counters and rejects. */
  readonly name: string
  /** The recipe's name for its model. */
  readonly model: string
  /** Place in the order of the stages (stage-ranks.ts). */
  readonly rank: number
  /** Whether its values are chunks: it comes before the label stage. */
  readonly ofChunks: boolean
  /** Columns that it adds to the rows. */
  readonly columns: readonly Column[]
}

/** Returns the stages up to a phase, in order. The columns after the last stage of a phase are not part of it. */
export function plannedStages(kun: KunOptions, through?: Phase): PlannedStage[] {
  const { perplexity, screen, label, score, polish, pair, ifd } = kun
  const stages = [
    ...(perplexity ? [builtIn('perplexity', perplexity.model, perplexityColumns)] : []),
    ...(screen ? [builtIn('screen', screen.model, screenColumns)] : []),
    builtIn('label', label.model, labelColumns(label)),
    ...(score ? [builtIn('score', score.model, scoreColumns)] : []),
    ...(polish && polish.mode !== 'raw' ? [builtIn('polish', polish.model, supportColumns)] : []),
    ...(pair ? [builtIn('pair', pair.model, pairColumns)] : []),
    ...(ifd ? [builtIn('ifd', ifd.model, ifdColumns)] : []),
    ...phases.flatMap((phase) => kun.columns.filter(({ after }) => after === phase).map(ofColumn)),
  ]
  const last = through === undefined ? Number.POSITIVE_INFINITY : stageRanks[through]
  return stages.filter(({ rank }) => rank <= last).sort((a, b) => a.rank - b.rank)
}

function builtIn(name: BuiltInStage, model: string, columns: readonly Column[]): PlannedStage {
  const rank = stageRanks[name]
  return { name, kind: name, model, rank, ofChunks: rank < stageRanks.label, columns, column: null }
}

/** @param index among the columns after the same stage */
function ofColumn(column: ColumnOptions, index: number): PlannedStage {
  const { name, model, after } = column
  const rank = columnRank(after, index)
  return { name, kind: 'column', model, rank, ofChunks: rank < stageRanks.label, columns: [columnOf(column)], column }
}

/** Returns the columns that the stages of a recipe add to its rows, also in a phase, which writes none. */
export function rowColumns(kun: KunOptions): readonly Column[] {
  return plannedStages(kun).flatMap(({ columns }) => columns)
}

/** Returns the recipe's names of the models of which a stage needs the log-probabilities of prompts. */
export function promptReaders({ perplexity, ifd }: KunOptions): string[] {
  return [perplexity, ifd].flatMap((stage) => (stage === undefined ? [] : [stage.model]))
}

/** Returns `name@version` of the templates of the built-in stages. Those of columns are in their own options. */
export function promptVersions({
  perplexity,
  screen,
  label,
  score,
  polish,
  pair,
  ifd,
}: KunOptions): Record<string, string> {
  const versions = {
    perplexity: perplexity && templateOf('plain'),
    screen: screen && templateOf(screen.prompt),
    label: templateOf(label.prompt),
    score: score && templateOf(score.prompt),
    polish: polish && polishTemplate(polish),
    pairAnswers: pair && templateOf(pair.promptAnswers),
    pairFollows: pair && templateOf(pair.promptFollows),
    ifd: ifd && templateOf(ifd.prompt),
  }
  return Object.fromEntries(
    Object.entries(versions).flatMap(([stage, template]) => (template ? [[stage, promptVersion(template)]] : [])),
  )
}
