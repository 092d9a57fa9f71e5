/** Output of the commands that write training data: options, destination, and the entry for LLaMA-Factory. */
import { rmSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { type ByteTarget, byteTarget } from '../run/sinks/byte-target.js'
import { temporarySuffix } from '../storage/files.js'
import { addDatasetEntry, datasetEntry, readInfo } from '../training/dataset-info.js'
import type { Form } from '../training/forms.js'
import { openRowFile, type RowFile, type RowFormat, rowFormats } from '../training/row-file.js'
import { Output, sayOnStderr } from './terminal/output.js'
import { cleanUpAtStopSignal } from './terminal/stop-signals.js'

export interface TrainingFlags {
  readonly out: string
  readonly to?: RowFormat
  readonly datasetInfo?: string
  readonly json?: boolean
}

/** Adds the options of the output to a command. */
export function addTrainingOptions(command: Command): Command {
  return command
    .option('--out <file>', 'file to write; - is standard output', '-')
    .addOption(
      new Option('--to <format>', 'format of the output; parquet for a file named .parquet, else jsonl').choices(
        rowFormats,
      ),
    )
    .option('--dataset-info <file>', 'add the output to this dataset_info.json of LLaMA-Factory; needs --out')
    .option('--json', 'print the counts as one JSON object; needs --out')
}

/** Rows on their way to a file or to standard output. */
export class TrainingOutput {
  readonly #target: ByteTarget
  readonly #rows: RowFile
  readonly #finish: () => Promise<void>
  readonly #release: () => void
  #ended = false

  private constructor(target: ByteTarget, rows: RowFile, finish: () => Promise<void>, release: () => void) {
    this.#target = target
    this.#rows = rows
    this.#finish = finish
    this.#release = release
  }

  /**
   * Opens the output. A file has a temporary name until `end`; a stop signal deletes it and ends the process.
   *
   * @throws {UsageError} options contradict each other, or Parquet would go to a terminal
   */
  static async open(form: Pick<Form<never>, 'name' | 'columns'>, flags: TrainingFlags): Promise<TrainingOutput> {
    const { out } = flags
    const format = flags.to ?? (/\.parquet$/i.test(out) ? 'parquet' : 'jsonl')
    if (out === '-' && flags.json)
      throw new UsageError(say`--json prints on standard output, as the rows do: name a file with --out`)
    if (out === '-' && process.stdout.isTTY && format === 'parquet') {
      throw new UsageError(say`standard output is a terminal: redirect it, or name a file for Parquet with --out`)
    }
    const finish = await datasetInfoWriter(form, flags)
    const release = cleanUpAtStopSignal(() => {
      if (out !== '-') rmSync(out + temporarySuffix, { force: true })
    })
    const target = out === '-' ? stdoutTarget() : byteTarget(out)
    return new TrainingOutput(target, await openRowFile(target, form.columns, format), finish, release)
  }

  add(row: Parameters<RowFile['add']>[0]): Promise<void> {
    return this.#rows.add(row)
  }

  /** Completes the file under its name. */
  async end(): Promise<void> {
    await this.#rows.end()
    await this.#target.end()
    this.#ended = true
    this.#release()
    await this.#finish()
  }

  /** Deletes what was written to a file, unless `end` has completed it. */
  async discard(): Promise<void> {
    if (this.#ended) return
    await this.#target.discard()
    this.#release()
  }
}

function stdoutTarget(): ByteTarget {
  const output = new Output(process.stdout)
  return { write: (parts) => output.writeAll(parts), end: () => output.end(), discard: async () => undefined }
}

/** Returns a function that adds the entry once the file is complete. Checks all that can be checked before. */
async function datasetInfoWriter(
  form: Pick<Form<never>, 'name' | 'columns'>,
  { datasetInfo, out }: TrainingFlags,
): Promise<() => Promise<void>> {
  if (datasetInfo === undefined) return async () => undefined
  if (out === '-') throw new UsageError(say`--dataset-info names a file of rows: name it with --out`)
  const entry = datasetEntry(form)
  if (entry === null) {
    throw new UsageError(say`LLaMA-Factory does not read --as ${form.name}: give --as dpo-text or --as dpo-messages`)
  }
  await readInfo(datasetInfo)
  return async () => {
    const name = await addDatasetEntry(datasetInfo, out, entry)
    sayOnStderr(say`${datasetInfo} names the dataset ${name}`)
  }
}
