/** `kun-stream prepare RECIPE --out DIR`: divides a run into units, which any number of processes can generate. */
import { type Command, Option } from 'commander'
import { count } from '../../language/count.js'
import { say } from '../../language/say.js'
import { commandName, shellWord } from '../command-name.js'
import { addCommand } from '../command-summaries.js'
import type { EpochFlags } from '../epoch-options.js'
import { wholeNumber } from '../option-numbers.js'
import { durationOption } from '../queue/queue-options.js'
import { type RecipeFlags, setOption } from '../recipe-options.js'
import { sayOnStderr, writeOut } from '../terminal/output.js'

interface PrepareFlags extends RecipeFlags, EpochFlags {
  readonly work?: string
  readonly probe: boolean
  readonly unitsAhead?: number
  readonly json?: boolean
}

export function registerPrepare(program: Command): void {
  addCommand(program, 'prepare')
    .argument('<recipe>', 'a YAML file: docs/recipe.md; - reads standard input')
    .addOption(new Option('--out <where>', 'directory or s3://bucket/prefix for the units, in place of output.dir'))
    .option('--work <dir>', 'local directory of a bucket: its log of duplicates, its lock; output.dir by default')
    .addOption(setOption())
    .option('--no-probe', 'call no model server: the first worker pins what the servers can do')
    .option(
      '--dedup-parts <count>',
      'decide duplicates in epochs, with an index in parts: docs/scale.md',
      wholeNumber(1),
    )
    .option('--epoch-rows <count>', 'chunks of an epoch; 4000000 by default', wholeNumber(1))
    .option('--dedup-elsewhere', 'leave the parts of the index to dedup-part processes')
    .option('--dedup-wait <duration>', 'longest wait for such a process; 1h by default', durationOption)
    .option('--units-ahead <n>', 'wait while so many planned units have no result; no limit', wholeNumber(1))
    .option('--json', 'print one JSON object at the end in place of the summary')
    .action(async (path: string, flags: PrepareFlags) => prepare(path, flags))
}

async function prepare(path: string, flags: PrepareFlags): Promise<void> {
  const { out, work, probe, unitsAhead, set, json } = flags
  const { openObjectStore } = await import('../../objects/open-store.js')
  const { loadRecipe } = await import('../../recipe/index.js')
  const { settingsOf } = await import('../../recipe/run-settings.js')
  const { mustHaveTexts } = await import('../../recipe/recipe-sources.js')
  const { prepareUnits } = await import('../../units/prepare-units.js')
  const { epochsOf } = await import('../epoch-options.js')
  const epochs = epochsOf(flags)
  const { markOwnRun } = await import('../own-run.js')
  const { UnitStop } = await import('../unit-stop.js')
  const recipe = await loadRecipe(path, set)
  const where = out ?? recipe.output.dir
  const store = await openObjectStore(where, { onEvent: sayOnStderr })
  const stop = new UnitStop()
  try {
    const directory = store.directory ?? work ?? recipe.output.dir
    const prepared = await settingsOf(recipe, directory, sayOnStderr)
    try {
      await mustHaveTexts(recipe, prepared.settings.shards)
      const units = await prepareUnits(prepared.settings, {
        store,
        probe,
        ...(epochs !== null && { epochs }),
        ...(unitsAhead !== undefined && { unitsAheadMax: unitsAhead }),
        signal: stop.signal,
        onEvent: sayOnStderr,
        onUnit: ({ id, candidates }) => sayOnStderr(say`unit ${id} is planned: ${count(candidates, 'candidate')}`),
      })
      await markOwnRun(directory)
      if (json) writeOut(`${JSON.stringify({ command: 'prepare', where, ...units })}\n`)
      else {
        const all = [count(units.added, 'unit'), count(units.units, 'unit'), count(units.candidates, 'candidate')]
        writeOut(`${say`${all[0]} planned, ${all[1]} in all: ${all[2]}`}\n`)
        writeOut(`${say`Next: ${`${commandName()} generate ${shellWord(where)}`}`}\n`)
      }
    } finally {
      await prepared.close()
    }
  } finally {
    stop.close()
    await store.close()
  }
}
