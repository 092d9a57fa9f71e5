/** The order in which records pass the stages of a run, from its counters: their keys are sorted by name. */
import { phases } from './stage-ranks.js'

interface Flow {
  readonly in: number
  readonly out: number
}

const builtIn: readonly string[] = ['documents', 'chunks', ...phases]

/**
 * Returns the names of the stages in order. A column of the recipe comes after the last stage that let as many records
 * through as it took in: counters do not name the stage that it follows. Where no record was dropped in between, any
 * place has the same figures.
 */
export function stagesInFlow(stages: Readonly<Record<string, Flow>>): string[] {
  const names = builtIn.filter((name) => Object.hasOwn(stages, name))
  const columns = Object.keys(stages).filter((name) => !builtIn.includes(name))
  const flowOf = (name: string) => stages[name] as Flow
  // The first of a chain of columns has the most records.
  columns.sort((a, b) => flowOf(b).in - flowOf(a).in || flowOf(b).out - flowOf(a).out)
  for (const column of columns) {
    const before = names.findLastIndex((name) => flowOf(name).out === flowOf(column).in)
    names.splice(before < 0 ? names.length : before + 1, 0, column)
  }
  return names
}
