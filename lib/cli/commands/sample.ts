/**
 * `kun-stream sample`: selects rows of a run and writes them in the form of a trainer. Reads the parts twice: the first
 * pass keeps a few numbers for each row, the second one writes the rows that were selected, in the order of the dataset.
 */

import { type Command, Option } from 'commander'
import { UsageError } from '../../errors.js'
import { grouped } from '../../language/grouped.js'
import { listText } from '../../language/list-text.js'
import { say } from '../../language/say.js'
import type { Row } from '../../parquet/columns.js'
import {
  type ExampleForm,
  exampleForm,
  exampleForms,
  type PreferenceForm,
  preferenceForm,
  preferenceForms,
} from '../../training/forms.js'
import { openRejected, type RejectedKind, rejectedKinds } from '../../training/rejected.js'
import { checkRunColumns, type RunParts, type RunRow, runParts, runRows } from '../../training/run-rows.js'
import { Selection, type SelectionRule, selectionRules } from '../../training/selection.js'
import { addCommand } from '../command-summaries.js'
import { wholeNumber } from '../option-numbers.js'
import { collect } from '../recipe-options.js'
import { mustBeRunDirectory } from '../run-directory-argument.js'
import { countText } from '../terminal/bytes-text.js'
import { ReaderGone, sayOnStderr, writeOut } from '../terminal/output.js'
import { addTrainingOptions, type TrainingFlags, TrainingOutput } from '../training-output.js'

const comparedTexts = ['instruction', 'output', 'raw'] as const

interface SampleFlags extends TrainingFlags {
  readonly number?: number
  readonly by: ReadonlySet<SelectionRule>
  readonly of: (typeof comparedTexts)[number]
  readonly as: ExampleForm | PreferenceForm
  readonly rejected: readonly RejectedKind[]
  readonly split: readonly string[]
  readonly score: string
  readonly seed: number
}

interface SampleCounts {
  /** Rows of the selected splits. */
  readonly rows: number
  written: number
  /** Rows that have no rejected reply; null for a form without one. */
  withoutRejected: number | null
  /** Rows that have no score; null if the score was not used. */
  withoutScore: number | null
  /** Clusters of all rows and of those written; null without diversity. */
  clusters: { readonly all: number; readonly selected: number } | null
}

export function registerSample(program: Command): void {
  const command = addCommand(program, 'sample')
    .argument('<dir>', 'run directory')
    .option('-n, --number <rows>', 'rows to select; all by default', wholeNumber(1))
    .addOption(
      new Option('--by <rules>', `rules of the selection, with commas: score, diversity, or both; or random`)
        .argParser(listOf('--by', selectionRules))
        .default(new Set(['score', 'diversity']), 'score,diversity'),
    )
    .addOption(
      new Option('--of <text>', 'with diversity: text by which rows are compared')
        .choices(comparedTexts)
        .default('instruction'),
    )
    .option('--score <column>', 'column of the score', 'score')
    .addOption(
      new Option('--as <form>', 'form of the output')
        .choices([...exampleForms, ...preferenceForms])
        .default('messages'),
    )
    .addOption(
      new Option('--rejected <kinds>', 'with --as dpo…: what is rejected, the first that a row has: raw, variant')
        .argParser((text) => [...listOf('--rejected', rejectedKinds)(text)])
        .default([...rejectedKinds], rejectedKinds.join(',')),
    )
    .option('--split <name>', 'split to read; all by default (may be repeated)', collect, [])
    .option('--seed <number>', 'seed of random order', wholeNumber(0), 1)
  addTrainingOptions(command).action(async (directory: string, flags: SampleFlags) => {
    try {
      const counts = await sample(directory, flags)
      sayOnStderr(summary(counts))
      if (flags.json) writeOut(`${JSON.stringify(counts)}\n`)
    } catch (error) {
      if (!(error instanceof ReaderGone)) throw error
    }
  })
}

async function sample(directory: string, flags: SampleFlags): Promise<SampleCounts> {
  const { by, number } = flags
  if (by.has('random') && by.size > 1)
    throw new UsageError(say`--by random stands alone: give score, diversity, or both`)
  await mustBeRunDirectory(directory)
  const parts = await runParts(directory, flags.split)
  // Without a number every row is selected, whatever the rules.
  const selects = number !== undefined && number < parts.rows
  await checkRunColumns(parts, selects && by.has('score') ? flags.score : null)
  return sampleParts(parts, flags, selects)
}

async function sampleParts(parts: RunParts, flags: SampleFlags, selects: boolean): Promise<SampleCounts> {
  const { as, by, score, number = parts.rows } = flags
  const { columns, rowOf } = await rowMaker(as, flags.rejected)
  const output = await TrainingOutput.open({ name: as, columns }, flags)
  try {
    const ranks = selects && by.has('score')
    const counts: SampleCounts = {
      rows: parts.rows,
      written: 0,
      withoutRejected: isPreference(as) ? 0 : null,
      withoutScore: ranks ? 0 : null,
      clusters: null,
    }
    const selection = await Selection.open({ by: selects ? by : new Set(), seed: flags.seed })
    for await (const group of runRows(parts, { score, check: true })) {
      for (const row of group) {
        if (rowOf(row, group) === null) counts.withoutRejected = (counts.withoutRejected ?? 0) + 1
        else selection.add(row.position, { id: row.id, score: row.score, text: row[flags.of] })
        if (ranks && row.score === null) counts.withoutScore = (counts.withoutScore ?? 0) + 1
      }
    }
    const { positions, clusters } = selection.select(number)
    counts.clusters = clusters
    for await (const group of runRows(parts, { score, check: false })) {
      for (const row of group) {
        if (positions[counts.written] !== row.position) continue
        await output.add(rowOf(row, group) as Row)
        counts.written++
      }
      if (counts.written === positions.length) break
    }
    await output.end()
    return counts
  } finally {
    await output.discard()
  }
}

function isPreference(form: SampleFlags['as']): form is PreferenceForm {
  return preferenceForms.some((each) => each === form)
}

/** Returns the columns of a form, and a function that makes the row of it; null for a row without a rejected reply. */
async function rowMaker(as: SampleFlags['as'], kinds: readonly RejectedKind[]) {
  if (!isPreference(as)) {
    const { columns, rowOf } = exampleForm(as)
    return { columns, rowOf: (row: RunRow): Row | null => rowOf(row) }
  }
  const { columns, rowOf } = preferenceForm(as)
  const rejectedOf = await openRejected(kinds)
  return {
    columns,
    rowOf: (row: RunRow, group: readonly RunRow[]): Row | null => {
      const rejected = rejectedOf(row, group)
      return rejected === null ? null : rowOf({ ...row, rejected })
    },
  }
}

function summary({ rows, written, withoutRejected, withoutScore, clusters }: SampleCounts): string {
  const notes = [
    ...(withoutRejected ? [say`${grouped(withoutRejected)} without a rejected reply`] : []),
    ...(withoutScore ? [say`${grouped(withoutScore)} without a score, which rank last`] : []),
  ]
  const done = say`${countText(rows, 'row')}: ${grouped(written)} written`
  const text = clusters
    ? say`${done} from ${grouped(clusters.selected)} of ${countText(clusters.all, 'cluster')}`
    : done
  return notes.length === 0 ? text : say`${text}; ${listText(notes)}`
}

/** Parses a list with commas. */
function listOf<Name extends string>(option: string, names: readonly Name[]): (text: string) => Set<Name> {
  return (text) => {
    const given = text.split(',').map((name) => name.trim())
    const unknown = given.find((name) => !names.some((each) => each === name))
    if (unknown === undefined) return new Set(given as Name[])
    throw new UsageError(say`${option} is ${text}: give some of ${names.join(', ')}, with commas`)
  }
}
