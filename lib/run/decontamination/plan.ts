/** Reads the benchmarks that `prepare.decontaminate` names and adds their index to the plan of workers. */
import { glob } from 'tinyglobby'
import { RecipeError } from '../../errors.js'
import { say } from '../../language/say.js'
import { contaminationIndex, type DecontaminationOptions, type TestItem } from '../../text/contamination.js'
import type { PreparePlan } from '../../text/plan.js'
import type { ItemsFile } from './read-items.js'

/** Files of one recipe. C-Eval has 156, CMMLU 134. */
const filesMax = 10_000

/**
 * Returns the plan with the index of the benchmarks; unchanged without the option.
 *
 * @param directory base of relative paths: the working directory
 * @throws {RecipeError} a file cannot be read or has no items, or there are too many n-grams
 */
export async function withDecontamination(
  plan: PreparePlan,
  options: DecontaminationOptions | undefined,
  directory: string,
): Promise<PreparePlan> {
  if (options === undefined) return plan
  const files: ItemsFile[] = []
  const items: TestItem[] = []
  for (const name of await filesOf(options.files, directory)) {
    const { readItems } = await import('./read-items.js')
    const read = await readItems(name, directory, options.fields)
    files.push(read.file)
    for (const item of read.items) items.push(item)
  }
  return { ...plan, contamination: { files, index: contaminationIndex(items, options) } }
}

/** Paths in the order of the patterns, those of a pattern sorted, each once. */
async function filesOf(patterns: readonly string[], directory: string): Promise<string[]> {
  const found = new Set<string>()
  for (const pattern of patterns) {
    const names = await glob(pattern, { cwd: directory, dot: true, expandDirectories: false })
    if (names.length === 0) {
      throw new RecipeError(
        say`prepare.decontaminate.files: no file matches '${pattern}'. Check the path: it starts from the
          working directory, ${directory}.`,
        { details: { pattern } },
      )
    }
    for (const name of names.sort()) found.add(name)
  }
  if (found.size > filesMax) {
    throw new RecipeError(say`prepare.decontaminate.files: ${found.size} files, at most ${filesMax} are read`, {
      details: { files: found.size, filesMax },
    })
  }
  return [...found]
}
