/** The stages of `kun-stream pipe` that call models. */
import type { KunOptions } from '../kun/options.js'
import { plannedStages } from '../kun/planned-stages.js'
import type { Candidate, Pair } from '../kun/types.js'
import type { OpenModels } from '../recipe/models.js'
import { recordCredit } from '../run/record-credit.js'
import {
  column,
  ifd,
  label,
  type ModelStage,
  pair,
  perplexity,
  polish,
  score,
  screen,
} from '../run/stages/model-stages.js'
import type { PipeStages } from './pipe-stages.js'

/** Builds the stages that call models, of those that are named, and the credit for the records in them. */
export function modelCalls(options: KunOptions, names: PipeStages['names'], models: OpenModels) {
  const kun = namedOnly(options, names)
  const credit = recordCredit(models.models, models)
  const inFlightMax = credit.capacity
  const planned = plannedStages(kun)
  return {
    credit,
    chunkCalls: planned.flatMap(({ kind, ofChunks, column: options }): ModelStage<Candidate, Candidate>[] => {
      if (kind === 'perplexity' && kun.perplexity) return [perplexity(models, { ...kun.perplexity, inFlightMax })]
      if (kind === 'screen' && kun.screen) return [screen(models, { ...kun.screen, inFlightMax })]
      return ofChunks && options ? [column<Candidate>(models, { ...options, inFlightMax })] : []
    }),
    first: label(models, { ...kun.label, inFlightMax }),
    pairCalls: planned.flatMap(({ kind, ofChunks, column: options }): ModelStage<Pair, Pair>[] => {
      if (kind === 'score' && kun.score) return [score(models, { ...kun.score, inFlightMax })]
      if (kind === 'polish' && kun.polish) return [polish(models, { ...kun.polish, inFlightMax })]
      if (kind === 'pair' && kun.pair) return [pair(models, { ...kun.pair, inFlightMax })]
      if (kind === 'ifd' && kun.ifd) return [ifd(models, { ...kun.ifd, inFlightMax })]
      return !ofChunks && options ? [column<Pair>(models, { ...options, inFlightMax })] : []
    }),
  }
}

/** Returns the options without the stages that are not named, and without the columns after them. */
function namedOnly(kun: KunOptions, names: PipeStages['names']): KunOptions {
  type Optional = 'perplexity' | 'screen' | 'score' | 'polish' | 'pair' | 'ifd'
  const named = <Options>(name: Optional, options: Options | undefined) => (names.has(name) ? options : undefined)
  return {
    ...kun,
    perplexity: named('perplexity', kun.perplexity),
    screen: named('screen', kun.screen),
    score: named('score', kun.score),
    polish: named('polish', kun.polish),
    pair: named('pair', kun.pair),
    ifd: named('ifd', kun.ifd),
    columns: kun.columns.filter(({ after }) => names.has(after)),
  }
}
