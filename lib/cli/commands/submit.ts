/** `kun-stream submit DIR --slurm`: submits the units without a result as arrays of Slurm, and runs one element on a node. */

import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { UsageError } from '../../errors.js'
import { count } from '../../language/count.js'
import { listText } from '../../language/list-text.js'
import { say } from '../../language/say.js'
import type { ObjectStore } from '../../objects/object-store.js'
import { elementMinutesDefault } from '../../slurm/elements.js'
import type { Submitted } from '../../slurm/submit.js'
import { addCommand } from '../command-summaries.js'
import { positiveNumber, wholeNumber } from '../option-numbers.js'
import { collect } from '../recipe-options.js'
import { sayOnStderr, writeOut } from '../terminal/output.js'

interface SubmitFlags {
  readonly slurm?: boolean
  readonly dryRun?: boolean
  readonly parallel?: number
  readonly elementMinutes: number
  readonly unitMinutes?: number
  readonly attempts: number
  readonly retries: number
  readonly sbatch: readonly string[]
  readonly serve?: string
  readonly folder?: string
  readonly trust?: boolean
  readonly json?: boolean
  /** With the submission, the number of the array and that of the element: runs it. */
  readonly element?: readonly string[]
}

export function registerSubmit(program: Command): void {
  addCommand(program, 'submit')
    .argument('<where>', 'directory or s3://bucket/prefix that prepare wrote')
    .option('--slurm', 'submit to Slurm (the only engine of this command)')
    .option('--dry-run', 'write the scripts and submit nothing')
    .option('--parallel <n>', 'elements that run at the same time, in all arrays', wholeNumber(1))
    .option('--element-minutes <n>', 'time that one element should take', positiveNumber, elementMinutesDefault)
    .option('--unit-minutes <n>', 'time of one unit; by default that of the results', positiveNumber)
    .option('--attempts <n>', 'failed attempts after which a unit is set aside', wholeNumber(1), 3)
    .option('--retries <n>', 'times that an element which failed is put back', wholeNumber(0), 3)
    .option('--sbatch <option>', 'option of sbatch: gres=gpu:1 (repeatable)', collect, [])
    .option('--serve <command>', 'start this model server on each node; {port} is free')
    .option('--folder <dir>', 'shared folder for scripts and logs; <where>/slurm by default')
    .option('--trust', 'accept the servers named in a run.json that another account wrote')
    .option('--json', 'print one JSON object')
    .addOption(new Option('--element <words...>').hideHelp())
    .action(async (where: string, flags: SubmitFlags) => {
      if (flags.element === undefined) await submit(where, flags)
      else await element(where, flags.element, flags.serve)
    })
}

async function submit(where: string, flags: SubmitFlags): Promise<void> {
  if (!flags.slurm) throw new UsageError(say`name the engine: --slurm (for a queue on Redis, see enqueue and worker)`)
  const { openPreparedStore } = await import('../../units/prepared-store.js')
  const { unitRecipe } = await import('../../units/unit-record.js')
  const { checkForeignRun } = await import('../foreign-run.js')
  const { submitUnits } = await import('../../slurm/submit.js')
  const { store, record } = await openPreparedStore(where, { readOnly: true, onEvent: sayOnStderr })
  try {
    const recipe = unitRecipe(record, store.url, [])
    if (store.directory !== null) {
      await checkForeignRun({
        ...{ directory: store.directory, recipe, overrides: [], trust: flags.trust ?? false },
        print: sayOnStderr,
      })
    }
    if (store.directory === null && flags.folder === undefined) {
      throw new UsageError(say`${store.url} is a bucket: give --folder, a folder that all nodes see`)
    }
    const serve = flags.serve === undefined ? [] : ['--serve', flags.serve]
    const script = await realpath(process.argv[1] ?? '')
    const done = await submitUnits({
      store,
      folder: flags.folder ?? join(store.directory ?? '', 'slurm'),
      name: recipe.name,
      parallel: flags.parallel ?? null,
      elementSeconds: 60 * flags.elementMinutes,
      unitSeconds: flags.unitMinutes === undefined ? null : 60 * flags.unitMinutes,
      attemptsMax: flags.attempts,
      retriesMax: flags.retries,
      options: flags.sbatch,
      command: [process.execPath, script, 'submit', store.directory ?? where, ...serve, '--element'],
      dryRun: flags.dryRun ?? false,
    })
    writeOut(flags.json ? `${JSON.stringify({ command: 'submit', where, ...done })}\n` : `${text(done).join('\n')}\n`)
  } finally {
    await store.close()
  }
}

function text(done: Submitted): string[] {
  const { planned, inHand, setAside, submitted, unitsPerElement, arrays, planComplete, submission } = done
  const lines = [
    say`${count(planned, 'unit')} planned: ${done.done} done, ${inHand} in elements that wait or run, ${setAside.length} set aside, ${submitted} left`,
  ]
  if (setAside.length > 0) lines.push(say`set aside after too many failed attempts: ${listText(setAside)}`)
  if (!planComplete) lines.push(say`The plan is not complete: submit again once prepare has ended`)
  for (const { job, script, elements } of arrays) {
    lines.push(
      job === null
        ? say`${script}: ${elements} elements of up to ${count(unitsPerElement, 'unit')}, not submitted`
        : say`job ${job}: ${elements} elements of up to ${count(unitsPerElement, 'unit')}; squeue -j ${job}, logs in ${submission}/logs`,
    )
  }
  return lines
}

/** Runs one element on its node; called by the script of its array. */
async function element(where: string, words: readonly string[], serve: string | undefined): Promise<void> {
  const [submission = '', array, index] = words
  const { unitsOfElement } = await import('../../slurm/submission.js')
  const { runElement } = await import('../../slurm/run-element.js')
  const { openUnits } = await import('../../units/open-units.js')
  const { UnitStop } = await import('../unit-stop.js')
  const units = await unitsOfElement(submission, Number(array), Number(index))
  const stop = new UnitStop()
  const run = await openUnits(where, { onEvent: sayOnStderr })
  try {
    const server = serve === undefined ? null : await ownServer(serve, stop.signal)
    try {
      const ended = server === null ? stop.signal : AbortSignal.any([stop.signal, server.ended])
      const done = await runElement({
        run,
        units,
        signal: ended,
        ...(server && { endpoints: await endpointsOf(run.store, server.url) }),
        onUnit: (id, end) =>
          sayOnStderr(end instanceof Error ? say`unit ${id} failed: ${end.message}` : say`unit ${id} is generated`),
        onEvent: sayOnStderr,
      })
      process.exitCode = done.exitCode
    } finally {
      await server?.close()
    }
  } finally {
    stop.close()
    await run.close()
  }
}

async function ownServer(command: string, signal: AbortSignal) {
  const { startOwnServer } = await import('../../slurm/own-server.js')
  return startOwnServer(command, { signal })
}

/** Every model of the recipe is served by the node's own server. */
async function endpointsOf(store: ObjectStore, url: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const { readUnitRecord, unitRecipe } = await import('../../units/unit-record.js')
  const { models } = unitRecipe(await readUnitRecord(store), store.url, [])
  return Object.fromEntries(Object.keys(models).map((name) => [name, [url]]))
}
