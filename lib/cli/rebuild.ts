/**
 * `kun-stream rebuild DIR --set a.b=value --out DIR2`: the run of a directory once more, with something changed, from the
 * replies that it kept. Only calls that are really new reach a server.
 */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { UsageError } from '../errors.js'
import { parseRecipe, type Recipe } from '../recipe/index.js'
import { readRunRecord } from '../sinks/index.js'
import { called, quoted } from './called.js'
import { collect, runRecipe } from './run.js'

interface RebuildFlags {
  readonly out: string
  readonly set: string[]
}

export function registerRebuild(program: Command): void {
  program
    .command('rebuild')
    .description('make the dataset of a run again with something changed, from its replies: only new calls are made')
    .argument('<dir>', 'run directory, finished or not')
    .requiredOption('--out <dir>', 'run directory of the new dataset')
    .option('--set <path=value>', 'what is changed: kun.score.keepAtLeast=0.4 (may be repeated)', collect, [])
    .action(async (directory: string, { out, set }: RebuildFlags) => {
      const recipe = await recipeOfRun(directory, out, set)
      const words = ['rebuild', directory, ...set.flatMap((each) => ['--set', each]), '--out', out]
      const again = [called(), ...words.map(quoted)].join(' ')
      process.exitCode = await runRecipe(recipe, { directory: out, again })
    })
}

/**
 * The recipe that a run was made by, changed, with its replies to be served.
 *
 * @throws {UsageError} the directory holds no run, or is the one to be written
 */
export async function recipeOfRun(directory: string, out: string, overrides: readonly string[]): Promise<Recipe> {
  if (resolve(directory) === resolve(out)) {
    throw new UsageError(`--out is ${out}, the run itself: name another directory, the old run stays as it is`)
  }
  const record = await readRunRecord(directory)
  const stored = record?.free.recipe
  if (typeof stored !== 'object' || stored === null) {
    throw new UsageError(
      record === null
        ? `${directory} holds no run: give a run directory, such as out/demo`
        : `${directory}/run.json does not hold its recipe: run the recipe with --out ${out} --set 'replies.from=["${directory}"]'`,
    )
  }
  const recipe = parseRecipe(JSON.stringify(stored), `${directory}/run.json, recipe`, overrides)
  const from = [directory, ...recipe.replies.from.filter((earlier) => resolve(earlier) !== resolve(directory))]
  const { publish: _, ...rest } = recipe
  // Where the first dataset was published belongs to it, unless it was named again.
  const publishes = overrides.some((each) => each.startsWith('publish'))
  return { ...(publishes ? recipe : rest), replies: { ...recipe.replies, from } }
}
