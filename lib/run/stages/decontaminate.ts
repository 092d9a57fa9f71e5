/** Drops pairs whose instruction or output contains an item of a benchmark. */
import { Child, type Outcome } from '../../core/types.js'
import type { KunStage, Pair } from '../../kun/types.js'
import {
  type ContaminationIndex,
  ContaminationSearch,
  codesOfForm,
  contaminationDetail,
} from '../../text/contamination.js'
import { comparisonForm } from '../../text/signature.js'

/** Returns the stage with a check of each text that it writes. */
export function decontaminated<In>(stage: KunStage<In, Pair>, index: ContaminationIndex | null): KunStage<In, Pair> {
  const textOf = writtenBy[stage.name]
  if (index === null || textOf === undefined) return stage
  const search = new ContaminationSearch(index)
  const detailOf = (pair: Pair): string | null => {
    const text = textOf(pair)
    const found = text === null ? null : search.find(codesOfForm(comparisonForm(text)))
    return found === null ? null : contaminationDetail(found)
  }
  return { ...stage, run: async (input, call) => checked(await stage.run(input, call), detailOf) }
}

const writtenBy: Readonly<Partial<Record<string, (pair: Pair) => string | null>>> = {
  label: ({ instruction }) => instruction,
  polish: ({ output }) => output,
}

function checked(outcome: Outcome<Pair>, detailOf: (pair: Pair) => string | null): Outcome<Pair> {
  if (!('emit' in outcome)) return outcome
  const emit = outcome.emit.map((value) => {
    if (value instanceof Child) return value
    const detail = detailOf(value)
    return detail === null ? value : new Child(value, { drop: 'contaminated', detail })
  })
  return { ...outcome, emit }
}
