/** `kun-stream assemble DIR`: makes the dataset from the results of units, in order, as far as there are any. */

import type { Command } from 'commander'
import { UsageError } from '../../errors.js'
import { count } from '../../language/count.js'
import { listText } from '../../language/list-text.js'
import { say } from '../../language/say.js'
import type { Assembled } from '../../units/assemble.js'
import { addCommand } from '../command-summaries.js'
import { type RecipeFlags, setOption } from '../recipe-options.js'
import { sayOnStderr, writeOut } from '../terminal/output.js'

interface AssembleFlags extends RecipeFlags {
  readonly json?: boolean
}

export function registerAssemble(program: Command): void {
  addCommand(program, 'assemble')
    .argument('<where>', 'directory or s3://bucket/prefix that prepare wrote')
    .option('--out <dir>', 'run directory of the dataset; the directory itself by default')
    .addOption(setOption())
    .option('--json', 'print one JSON object at the end in place of the summary')
    .action(async (where: string, flags: AssembleFlags) => assemble(where, flags))
}

async function assemble(where: string, { out, set, json }: AssembleFlags): Promise<void> {
  const { tailSettingsOf } = await import('../../recipe/run-settings.js')
  const { assembleUnits } = await import('../../units/assemble.js')
  const { openPreparedStore } = await import('../../units/prepared-store.js')
  const { unitRecipe } = await import('../../units/unit-record.js')
  const { markOwnRun } = await import('../own-run.js')
  const { UnitStop } = await import('../unit-stop.js')
  const { store, record } = await openPreparedStore(where, { onEvent: sayOnStderr })
  const stop = new UnitStop()
  try {
    const directory = out ?? store.directory
    if (directory === null) throw new UsageError(say`--out is required: ${where} is not a directory`)
    const prepared = await tailSettingsOf(unitRecipe(record, store.url, set), directory)
    try {
      const { signal } = stop
      const assembled = await assembleUnits({
        ...{ store, record, settings: prepared.settings, signal },
        onEvent: sayOnStderr,
      })
      if (directory !== store.directory) await markOwnRun(directory)
      report(assembled, directory, json)
    } finally {
      await prepared.close()
    }
  } finally {
    stop.close()
    await store.close()
  }
}

function report({ empty, ...assembled }: Assembled, directory: string, json: boolean | undefined): void {
  const { cuts, rows, units, end } = assembled
  if (json) writeOut(`${JSON.stringify({ command: 'assemble', directory, ...assembled })}\n`)
  else {
    const text = say`${directory}: ${count(cuts, 'cut')} of ${count(units, 'unit')}, ${count(rows, 'row')}`
    writeOut(`${text}\n${endText(assembled)}\n`)
  }
  if (empty !== null) throw empty
  if (end === 'gap' || end === 'planning') process.exitCode = 3
}

function endText({ end, missing, damaged }: Pick<Assembled, 'end' | 'missing' | 'damaged'>): string {
  if (damaged.length > 0) return say`the results of ${listText(damaged)} were damaged and dropped: run generate again`
  if (end === 'limit') return say`rowsMax is reached`
  if (end === 'complete') return say`the dataset is complete`
  return missing === null ? say`the plan is not complete` : say`the next unit, ${missing}, has no result`
}
