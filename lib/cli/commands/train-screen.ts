/** `kun-stream train-screen`: trains the classifier of `prepare.screen` on the grades of a judge. */
import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { version } from '../../core/version.js'
import { UsageError } from '../../errors.js'
import { say, translated } from '../../language/say.js'
import { ScreenClassifier } from '../../text/screen/classifier.js'
import { encodeScreen } from '../../text/screen/screen-file.js'
import { agreementOf, type ScreenAgreement, trainScreen } from '../../text/screen/train.js'
import { addCommand } from '../command-summaries.js'
import { fraction, powerOfTwo, wholeNumber } from '../option-numbers.js'
import { addExamples, ExampleSample } from '../screen-examples.js'
import { countText } from '../terminal/bytes-text.js'
import { notWritten, sayOnStderr, writeOut } from '../terminal/output.js'

interface TrainScreenFlags {
  readonly out: string
  readonly keepAtLeast: number
  readonly examples: number
  readonly epochs: number
  readonly buckets: number
  readonly seed: number
  readonly json?: boolean
}

/** Fewer are not enough to train on one part and to measure on the other. */
const examplesMin = 20

export function registerTrainScreen(program: Command): void {
  addCommand(program, 'train-screen')
    .argument('<path...>', 'run directories with kun.screen, or files of lines with text and label (keep or drop)')
    .option('--out <file>', 'where the classifier is written', 'screen.bin')
    .option('--keep-at-least <score>', 'score at which the agreement with the judge is measured', fraction, 0.5)
    .option('--examples <count>', 'examples that are used at most, a sample of all', wholeNumber(1), 200_000)
    .option('--epochs <count>', 'passes over the examples', wholeNumber(1), 10)
    .option('--buckets <count>', 'weights, a power of two from 1024 to 2097152', powerOfTwo(1024, 2 ** 21), 2 ** 18)
    .option('--seed <number>', 'seed of the order of the examples', wholeNumber(1), 1)
    .option('--json', 'print the agreement as JSON')
    .action(trainScreenCommand)
}

async function trainScreenCommand(paths: string[], flags: TrainScreenFlags): Promise<void> {
  const { out, keepAtLeast, examples: examplesMax, epochs, buckets, seed, json = false } = flags
  const sample = new ExampleSample(examplesMax)
  let graded = 0
  for (const path of paths) {
    const found = await addExamples(path, sample)
    if (found === 0) {
      throw new UsageError(
        say`${path} has no graded text: its rows need the columns raw and screen, which kun.screen writes`,
      )
    }
    graded += found
  }
  const { train, heldOut, digest } = sample.parts()
  for (const [name, part] of [
    ['to train on', train],
    ['to measure with', heldOut],
  ] as const) {
    const kept = part.filter(({ grade }) => grade >= 0.5).length
    if (
      part.length >= examplesMin / 4 &&
      train.length + heldOut.length >= examplesMin &&
      kept > 0 &&
      kept < part.length
    )
      continue
    throw new UsageError(
      say`of ${countText(train.length + heldOut.length, 'text')} with a grade, ${kept} of the ${part.length}
        ${translated(name)} are kept: at least ${examplesMin} texts, and both grades in each part, are needed. Grade
        more texts`,
    )
  }
  const options = { epochs, seed, buckets }
  const measured = trainScreen(train, options)
  const screen = new ScreenClassifier({ ...measured.header, training: {} }, measured.weights)
  const agreement = agreementOf(screen, heldOut, keepAtLeast)
  // Measured on a part, but what is written has learned from all.
  const { header, weights } = trainScreen([...train, ...heldOut], options)
  const training = {
    version,
    examples: digest,
    graded,
    train: train.length,
    ...options,
    keepAtLeast,
    heldOut: agreement,
  }
  try {
    await writeFile(out, encodeScreen({ ...header, training }, weights))
  } catch (cause) {
    throw notWritten(out, cause as NodeJS.ErrnoException)
  }
  if (json) writeOut(`${JSON.stringify({ file: out, ...training }, null, 2)}\n`)
  else sayOnStderr(summary(out, train.length, agreement, keepAtLeast))
}

function summary(file: string, trained: number, found: ScreenAgreement, keepAtLeast: number): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`
  return [
    say`${file}: trained on ${countText(trained, 'text')}. On ${found.examples} others, against the judge:`,
    say`  ROC-AUC ${found.auc.toFixed(3)}; at ${keepAtLeast}: agrees on ${percent(found.agreement)},`,
    say`  drops ${percent(found.recall)} of what the judge drops; ${percent(found.precision)} of what it drops, the judge drops too`,
    say`In a recipe: prepare: { screen: { file: ${file}, keepAtLeast: ${keepAtLeast} } }`,
  ].join('\n')
}
