/**
 * `kun-stream rebuild DIR --set a.b=value --out DIR2`: the run of a directory once more, with something changed, from the
 * replies that it kept. Only calls that are really new reach a server.
 */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { UsageError } from '../../errors.js'
import { parseRecipe, type Recipe } from '../../recipe/index.js'
import { readRunRecord } from '../../sinks/index.js'
import { called, quoted } from '../command-name.js'
import { checkForeignRun } from '../foreign-run.js'
import { isSet } from '../overrides.js'
import { sayOnStderr } from '../terminal/output.js'
import { collect, runRecipe } from './run.js'

interface RebuildFlags {
  readonly out: string
  readonly set: string[]
  readonly trust?: boolean
}

export function registerRebuild(program: Command): void {
  program
    .command('rebuild')
    .description('make the dataset of a run again with something changed, from its replies: only new calls are made')
    .argument('<dir>', 'run directory, finished or not')
    .requiredOption('--out <dir>', 'run directory of the new dataset')
    .option('--set <path=value>', 'what is changed: kun.score.keepAtLeast=0.4 (may be repeated)', collect, [])
    .option('--trust', 'send texts to the servers that a run.json of somebody else names')
    .action(async (directory: string, { out, set, trust = false }: RebuildFlags) => {
      const recipe = await recipeOfRun(directory, out, set, sayOnStderr)
      await checkForeignRun({ directory, recipe, overrides: set, trust, say: sayOnStderr })
      const sets = set.flatMap((each) => ['--set', each])
      const words = ['rebuild', directory, ...sets, '--out', out, ...(trust ? ['--trust'] : [])]
      const again = [called(), ...words.map(quoted)].join(' ')
      process.exitCode = await runRecipe(recipe, { directory: out, again })
    })
}

/**
 * Returns the recipe of a run, with overrides, set to serve its replies. Fields that could act outside the directory
 * (see `withoutPowers`) are kept only if an override of this call names them.
 *
 * @param say receives a line for each field that is left out
 * @throws {UsageError} the directory holds no run, or is the one to be written
 */
export async function recipeOfRun(
  directory: string,
  out: string,
  overrides: readonly string[],
  say: (line: string) => void = () => undefined,
): Promise<Recipe> {
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
  const { stored: trusted, withheld } = withoutPowers(stored as Record<string, unknown>)
  const file = `${directory}/run.json, recipe`
  const recipe = parseRecipe(JSON.stringify(trusted), file, overrides)
  const filters = withheld.find(({ path }) => path === 'prepare.filters')
  // Leaving filters out would alter the output; loading them would run code of a directory that may come from anyone.
  if (filters !== undefined && !isSet(overrides, filters.path)) {
    throw new UsageError(
      `${directory}/run.json names filters, which are code: ${filters.found}. If you trust them, say --set '${filters.path}=${filters.found}'`,
    )
  }
  for (const { path, found } of withheld) {
    if (!isSet(overrides, path)) say(`${path} is left out; run.json has ${found}. To use it: --set '${path}=${found}'`)
  }
  const from = [directory, ...recipe.replies.from.filter((earlier) => resolve(earlier) !== resolve(directory))]
  return { ...recipe, replies: { ...recipe.replies, from } }
}

interface Withheld {
  readonly path: string
  /** The value in the syntax of `--set`. */
  readonly found: string
}

/**
 * Fields that a recipe may have and a run directory may not, because it may come from anyone: they start a command,
 * load code, send variables of the environment, or write outside of the output directory. Only flags of this call set
 * them again.
 */
function withoutPowers(stored: Record<string, unknown>): { stored: Record<string, unknown>; withheld: Withheld[] } {
  const kept = structuredClone(stored)
  const withheld: Withheld[] = []
  const take = (of: unknown, key: string, path: string): void => {
    if (!isMap(of) || !Object.hasOwn(of, key)) return
    const found = of[key]
    delete of[key]
    const empty = typeof found === 'object' && found !== null && Object.keys(found).length === 0
    if (found !== undefined && found !== null && !empty) withheld.push({ path, found: asSetting(found) })
  }
  take(kept, 'onExit', 'onExit')
  take(kept, 'mirror', 'mirror')
  // The publish target belongs to the first dataset.
  delete kept.publish
  take(kept.prepare, 'filters', 'prepare.filters')
  for (const [name, model] of Object.entries(isMap(kept.models) ? kept.models : {})) {
    for (const key of ['apiKey', 'headers']) take(model, key, `models.${name}.${key}`)
  }
  for (const [index, source] of (Array.isArray(kept.sources) ? kept.sources : []).entries()) {
    for (const key of ['token', 'cache']) take(source, key, `sources[${index}].${key}`)
  }
  return { stored: kept, withheld }
}

function asSetting(value: unknown): string {
  return typeof value === 'string' && /^[\w:/.-]+$/.test(value) ? value : JSON.stringify(value)
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
