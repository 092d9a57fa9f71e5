/**
 * `kun-stream rebuild DIR --set a.b=value --out DIR2`: runs the recipe of a run again with other values, using the
 * replies of that run. Only calls without a reply reach a server.
 */

import { resolve } from 'node:path'
import type { Command } from 'commander'
import { isRecord } from '../../core/objects.js'
import { UsageError } from '../../errors.js'
import { say } from '../../language/say.js'
import { parseRecipe, type Recipe } from '../../recipe/index.js'
import { changedVersions } from '../../run/run-record.js'
import { readRunRecord } from '../../sinks/index.js'
import { commandName, shellWord } from '../command-name.js'
import { addCommand } from '../command-summaries.js'
import { checkForeignRun } from '../foreign-run.js'
import { addLogOptions, type LogFlags, withLog } from '../log-file.js'
import { metricsOption } from '../metrics-option.js'
import { isOverridden, setOption } from '../recipe-options.js'
import { sayOnStderr } from '../terminal/output.js'
import { runRecipe } from './run.js'

interface RebuildFlags extends LogFlags {
  readonly out: string
  readonly set: string[]
  readonly trust?: boolean
  readonly json?: boolean
  readonly metrics?: number
}

export function registerRebuild(program: Command): void {
  const command = addCommand(program, 'rebuild')
    .argument('<dir>', 'run directory, complete or not')
    .requiredOption('--out <dir>', 'run directory of the new dataset')
    .addOption(setOption())
    .option('--trust', 'accept the servers named in a run.json that another account wrote')
    .addOption(metricsOption())
    .option('--json', 'print one JSON object at the end in place of the summary')
  addLogOptions(command).action(async (directory: string, flags: RebuildFlags) => {
    await withLog('rebuild', flags, async (log) => {
      const { out, set, trust = false } = flags
      const recipe = await recipeOfRun(directory, out, set, sayOnStderr)
      await checkForeignRun({ directory, recipe, overrides: set, trust, print: sayOnStderr })
      const sets = set.flatMap((each) => ['--set', each])
      const words = ['rebuild', directory, ...sets, '--out', out, ...(trust ? ['--trust'] : [])]
      const again = [commandName(), ...words.map(shellWord)].join(' ')
      process.exitCode = await runRecipe(recipe, {
        directory: out,
        again,
        log,
        command: 'rebuild',
        json: flags.json,
        metricsPort: flags.metrics,
      })
    })
  })
}

/**
 * Returns the recipe of a run, with overrides, that uses the replies of that run. Fields that could act outside of the
 * directory (see `withoutPowers`) are kept only if an override of this call names them.
 *
 * @param print called with a message for each field that is dropped
 * @throws {UsageError} the directory does not contain a run, or is the one to be written
 */
export async function recipeOfRun(
  directory: string,
  out: string,
  overrides: readonly string[],
  print: (line: string) => void = () => undefined,
): Promise<Recipe> {
  if (resolve(directory) === resolve(out)) {
    throw new UsageError(say`--out is ${out}, the run itself: name another directory; a run is not changed by rebuild`)
  }
  const record = await readRunRecord(directory)
  const stored = record?.free.recipe
  if (!isRecord(stored)) {
    throw new UsageError(
      record === null
        ? say`${directory} does not contain a run: give a run directory, such as out/demo`
        : say`${directory}/run.json does not contain its recipe: run the recipe with --out ${out} --set
          'replies.from=["${directory}"]'`,
    )
  }
  const { stored: trusted, withheld } = withoutPowers(stored)
  const file = `${directory}/run.json, recipe`
  const recipe = parseRecipe(JSON.stringify(trusted), file, overrides)
  const filters = withheld.find(({ path }) => path === 'prepare.filters')
  // Dropping filters would alter the output; loading them would run code from an untrusted directory.
  if (filters !== undefined && !isOverridden(overrides, filters.path)) {
    throw new UsageError(
      say`${directory}/run.json names filters, which are code: ${filters.found}. If you trust them, add
        --set '${filters.path}=${filters.found}'`,
    )
  }
  for (const { path, found } of withheld) {
    if (!isOverridden(overrides, path))
      print(say`${path} is dropped; run.json has ${found}. To use it: --set '${path}=${found}'`)
  }
  for (const [name, before, after] of changedVersions(record?.pinned ?? {})) {
    print(
      say`${directory}/run.json has ${name} ${before}, this version of kun-stream ${after}: rows may differ for that reason, too`,
    )
  }
  const from = [directory, ...recipe.replies.from.filter((earlier) => resolve(earlier) !== resolve(directory))]
  return { ...recipe, replies: { ...recipe.replies, from } }
}

interface Withheld {
  readonly path: string
  /** Formats a value in the syntax of `--set`. */
  readonly found: string
}

/**
 * Removes fields that are allowed in a recipe but not in a run directory, which may be untrusted: they start a
 * command, load code, send environment variables, or write outside of the output directory. Overrides set them again.
 */
function withoutPowers(stored: Record<string, unknown>): { stored: Record<string, unknown>; withheld: Withheld[] } {
  const kept = structuredClone(stored)
  const withheld: Withheld[] = []
  const take = (of: unknown, key: string, path: string): void => {
    if (!isRecord(of) || !Object.hasOwn(of, key)) return
    const found = of[key]
    delete of[key]
    const empty = typeof found === 'object' && found !== null && Object.keys(found).length === 0
    if (found !== undefined && found !== null && !empty) withheld.push({ path, found: asSetting(found) })
  }
  take(kept, 'onExit', 'onExit')
  take(kept, 'mirror', 'mirror')
  // The dataset on the Hub belongs to the original run.
  delete kept.publish
  take(kept.prepare, 'filters', 'prepare.filters')
  for (const [name, model] of Object.entries(isRecord(kept.models) ? kept.models : {})) {
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
