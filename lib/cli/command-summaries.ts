/** What `kun-stream --help` says of each command. Apart from the commands, so that the help loads none of them. */
import type { Command } from 'commander'

interface CommandSummary {
  /** Arguments, as in the usage line; with [command] for one that has subcommands. */
  readonly arguments: string
  readonly description: string
}

/** In the order of the help. */
export const commandSummaries = {
  init: {
    arguments: '[files...]',
    description: 'write a recipe that runs, for files or a dataset of the Hub; asks in a terminal',
  },
  run: {
    arguments: '<recipe>',
    description: 'run a recipe, or resume the run in its directory',
  },
  prepare: {
    arguments: '<recipe>',
    description: 'divide a run into units, which many processes and hosts can generate: docs/scale.md',
  },
  'dedup-part': {
    arguments: '<where>',
    description: 'hold a part of the index of duplicates for `prepare --dedup-elsewhere`: docs/scale.md',
  },
  generate: {
    arguments: '<where>',
    description: 'generate the units of a prepared run; several processes may work on one directory',
  },
  assemble: {
    arguments: '<where>',
    description: 'make the dataset from the generated units, byte for byte that of one run',
  },
  plan: {
    arguments: '<recipe>',
    description:
      'check everything that a run needs: sources, servers, context, disk, rights; predict it with --records',
  },
  compare: {
    arguments: '<a> <b>',
    description: 'run the same records through two recipes, and show rows and cost side by side',
  },
  preview: {
    arguments: '<recipe>',
    description: 'show what would be sent for a record, stage by stage; sends nothing',
  },
  validate: {
    arguments: '<recipe>',
    description: 'check a recipe and the files that it names, offline: no server is called, no source is read',
  },
  schema: {
    arguments: '',
    description: 'print the JSON Schema of recipes, for editors',
  },
  status: {
    arguments: '<dir>',
    description: 'print the contents of a run directory, and the progress of its run or how it ended',
  },
  rebuild: {
    arguments: '<dir>',
    description:
      'make a dataset from the replies of a run, with another threshold, filter or stage; sends only new calls',
  },
  inspect: {
    arguments: '<path>',
    description: 'show rows of a run directory, a folder or a Parquet file',
  },
  report: {
    arguments: '<dir>',
    description: 'write the report of a run: one HTML file, offline',
  },
  tail: {
    arguments: '<dir>',
    description: 'show the latest pairs of a run, also those not committed yet',
  },
  ui: {
    arguments: '<dir>',
    description: 'show a run in the browser: graph, servers, funnel, pairs, rejects, search',
  },
  review: {
    arguments: '<dir>',
    description: 'judge a sample of pairs in the browser with single keys; suggests a threshold of the score',
  },
  explain: {
    arguments: '<dir> <id>',
    description: 'show how a record became a row or a reject, with every request and reply',
  },
  verify: {
    arguments: '<dir>',
    description: 'check a run directory: every durable file, checksum, row, id and counter',
  },
  dedup: {
    arguments: '[files...]',
    description:
      'remove exact and near duplicates; the lines that stay come out as they went in, other records as JSON Lines',
  },
  pipe: {
    arguments: '[files...]',
    description: 'run stages alone, between any source and standard output or a file',
  },
  enqueue: {
    arguments: '<dir>',
    description: 'fill the queue of a prepared run from its plan and results; can be repeated',
  },
  worker: {
    arguments: '<dir>',
    description: 'take units of a prepared run from a queue until every unit is done',
  },
  units: {
    arguments: '[command]',
    description: 'list, retry, bisect or skip units of a prepared run',
  },
  seed: {
    arguments: '[files...]',
    description:
      'turn curated instruction data into training data for the chat model, or with --invert for the label model',
  },
  sample: {
    arguments: '<dir>',
    description: 'select rows of a run and write them in the form of a trainer',
  },
  submit: {
    arguments: '<where>',
    description: 'submit the units of a prepared run that have no result, as arrays of Slurm',
  },
  'train-screen': {
    arguments: '<path...>',
    description: 'train the classifier that drops texts before any model, on the grades of kun.screen in a run',
  },
  'paper-prompts': {
    arguments: '<folder>',
    description: 'read the prompts of the preset paper from a clone of COIG-Kun, and write them as prompt files',
  },
  publish: {
    arguments: '<dir>',
    description: 'publish the rows of a run on the Hugging Face Hub, with a dataset card; uploads only what is new',
  },
  hub: {
    arguments: '[command]',
    description: 'commands for datasets on the Hugging Face Hub',
  },
  simulate: {
    arguments: '',
    description: 'serve the API of a vLLM server without a GPU: extractive writer, simulated timing, faults',
  },
  'dev-hub': {
    arguments: '<dir>',
    description: 'serve a stand-in for the Hugging Face Hub, to try publishing and reading without an account',
  },
  bench: {
    arguments: '[command] [names...]',
    description: 'run benches; without a name, list them',
  },
  complete: {
    arguments: '<shell>',
    description: 'print the script that completes commands and options in zsh, bash, fish or powershell',
  },
} as const satisfies Readonly<Record<string, CommandSummary>>

export type CommandName = keyof typeof commandSummaries

/** Adds a command with its description; the caller adds arguments, options and the action. */
export function addCommand(program: Command, name: CommandName): Command {
  return program.command(name).description(commandSummaries[name].description)
}
