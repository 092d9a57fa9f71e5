/** Reads the benchmarks that `prepare.decontaminate` names and adds their index to the plan of workers. */
import { contaminationIndex, type TestItem } from '../../text/contamination.js'
import type { DecontaminationOptions } from '../../text/contamination-options.js'
import type { PreparePlan } from '../../text/plan.js'
import type { ItemsFile } from './read-items.js'

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
  const [{ benchmarkFiles }, { readItems }] = await Promise.all([
    import('./benchmark-files.js'),
    import('./read-items.js'),
  ])
  for (const name of await benchmarkFiles(options.files, directory)) {
    const read = await readItems(name, directory, options.fields)
    files.push(read.file)
    for (const item of read.items) items.push(item)
  }
  return { ...plan, contamination: { files, index: contaminationIndex(items, options) } }
}
