/**
 * `kun-stream plan RECIPE`: prints what a run would read, which servers it would call, and whether it would start,
 * resume or be refused in its directory; checks all of it, and with --records predicts the run from a sample.
 */

import type { Command } from 'commander'
import { plannedStages } from '../../kun/planned-stages.js'
import { listText } from '../../language/list-text.js'
import { say, translated } from '../../language/say.js'
import { endpointNames } from '../../llm/options.js'
import { loadRecipe, type Recipe, recipeDifference } from '../../recipe/index.js'
import { settingsOf } from '../../recipe/run-settings.js'
import { cursorOf, readsOf } from '../../run/committed-cut.js'
import { alignShards } from '../../run/pinned-shards.js'
import { pinnedShardsOf } from '../../run/run-record.js'
import type { KunSettings } from '../../run/settings.js'
import { readManifest, readRunRecord } from '../../sinks/index.js'
import type { Shard } from '../../sources/index.js'
import { tokenFamilyOf } from '../../text/token-families.js'
import { addCommand } from '../command-summaries.js'
import { type FaultyShard, faultyLines } from '../faulty-shards.js'
import { positiveNumber, wholeNumber } from '../option-numbers.js'
import { type Check, withoutLine } from '../plan/check.js'
import type { Forecast } from '../plan/forecast.js'
import { forecastLines } from '../plan/forecast-text.js'
import { scaleLines } from '../plan/scale-text.js'
import { outOption, type RecipeFlags, setOption } from '../recipe-options.js'
import { bytesText, countText } from '../terminal/bytes-text.js'
import { pc } from '../terminal/colors.js'
import { sayOnStderr, writeOut } from '../terminal/output.js'

interface PlanFlags extends RecipeFlags {
  readonly json?: boolean
  readonly offline?: boolean
  readonly records?: number
  readonly gpus?: number
  readonly gpusPerServer: number
  readonly gpuLifeHours?: number
  readonly gpuSeconds?: number
  readonly candidates?: number
  readonly gpuHourPrice?: number
}

export function registerPlan(program: Command): void {
  addCommand(program, 'plan')
    .argument('<recipe>', say`a YAML file`)
    .addOption(outOption())
    .addOption(setOption())
    .option('--offline', say`call no server and no Hub, except to list a source of the Hub`)
    .option('--records <n>', say`run this many records through every stage, and predict the whole run`, wholeNumber(1))
    .option('--gpus <n>', say`plan the run in units on so many GPUs: docs/scale.md`, wholeNumber(1))
    .option('--gpu-life-hours <n>', say`with --gpus: mean life of a spot GPU`, positiveNumber)
    .option('--gpu-seconds <n>', say`with --gpus: GPU seconds a candidate, in place of a sample's`, positiveNumber)
    .option('--candidates <n>', say`with --gpus: candidates, in place of a sample's`, wholeNumber(1))
    .option('--gpus-per-server <n>', say`GPUs of each server of the recipe, for --records`, wholeNumber(1), 1)
    .option('--gpu-hour-price <price>', say`price of a GPU hour, for the cost`, positiveNumber)
    .option('--json', say`print one JSON object`)
    .action(async (path: string, flags: PlanFlags) => {
      const recipe = await loadRecipe(path, flags.set)
      process.exitCode = await plan(recipe, flags.out ?? recipe.output.dir, flags)
    })
}

/** @returns the exit code: 1 if a check fails */
async function plan(recipe: Recipe, directory: string, flags: PlanFlags): Promise<number> {
  const { json = false, offline = false, records, gpusPerServer, gpuHourPrice = null } = flags
  const { scaleOf } = await import('../plan/scale-question.js')
  const scaleFor = scaleOf(flags)
  const { planChecks } = await import('../plan/plan-checks.js')
  const { settings, close } = await settingsOf(recipe, directory, sayOnStderr)
  try {
    const { shards } = settings
    const planned = await plannedRun(recipe, directory, settings)
    const checks = await planChecks(recipe, { directory, shards, offline })
    const failed = () => checks.some(({ level }) => level === 'fail')
    const options = { directory, shards, gpusPerServer, gpuHourPrice, say: sayOnStderr }
    const predicting = records !== undefined && !failed()
    const predicted = predicting
      ? await (await import('../plan/predict.js')).predict(recipe, { ...options, records })
      : null
    checks.push(...(predicted?.checks ?? []))
    const forecast = predicted?.forecast ?? null
    const scale = scaleFor(recipe, shards, forecast)
    if (json) writeOut(`${JSON.stringify({ ...planned, checks: checks.map(withoutLine), forecast, scale })}\n`)
    else {
      const more = [forecastBlock(forecast), ...(scale === null ? [] : [`\n${scaleLines(scale).join('\n')}\n`])]
      writeOut(`${planText(planned)}\n\n${checkLines(checks).join('\n')}\n${more.join('')}`)
    }
    if (records !== undefined && !predicting) sayOnStderr(say`--records: nothing was run, because a check failed`)
    return failed() ? 1 : 0
  } finally {
    await close()
  }
}

/** Example: 'fail  models.judge.endpoints: …'. */
function checkLines(checks: readonly Check[]): string[] {
  const colours = { ok: pc.green, warn: pc.yellow, fail: pc.red }
  return checks.map(({ level, line }) => `${colours[level](level.padEnd(5))} ${line}`)
}

function forecastBlock(forecast: Forecast | null): string {
  return forecast === null ? '' : `\n${forecastLines(forecast).join('\n')}\n`
}

interface RunPlan {
  readonly name: string
  readonly directory: string
  readonly splits: readonly SplitPlan[]
  readonly stages: readonly StagePlan[]
  /** Family whose tokens limit a chunk; server: fitted at the start of the run. */
  readonly tokensOf: string
  /** Of the directory: without a run, with a run that this recipe would resume, or with a run of another recipe. */
  readonly state: 'new' | 'resumes' | 'refused'
  readonly cutsCommitted: number
  /** Fields and shards in which the existing run differs from the recipe. */
  readonly differences: readonly string[]
  /** Shards that changed in a way that a resumed run accepts. */
  readonly notes: readonly string[]
}

interface SplitPlan {
  readonly split: string
  readonly shards: number
  /** Sum of the shards' sizes as stored; null if the size of one is unknown. */
  readonly bytes: number | null
  readonly largestBytes: number
  /** Shards that cannot be read; each becomes one reject. */
  readonly faulty: readonly FaultyShard[]
}

interface StagePlan {
  readonly stage: string
  readonly model: string
  readonly servers: readonly string[]
  /** Upper limit of calls for each chunk after deduplication, retries excluded. */
  readonly callsPerChunk: number
}

/** Returns what a run would read and request, and the state of its directory; checks nothing else. */
export async function planOf(recipe: Recipe, directory: string): Promise<RunPlan> {
  const { settings, close } = await settingsOf(recipe, directory, sayOnStderr)
  try {
    return await plannedRun(recipe, directory, settings)
  } finally {
    await close()
  }
}

async function plannedRun(recipe: Recipe, directory: string, settings: KunSettings): Promise<RunPlan> {
  const record = await readRunRecord(directory)
  const pinnedRecipe = record?.pinned.recipe
  const cuts = record === null ? [] : await readManifest(directory)
  const last = cuts.at(-1)
  const alignment =
    record &&
    alignShards(pinnedShardsOf(record), settings.shards, last === undefined ? null : cursorOf(last), readsOf(cuts))
  const differences = [
    ...(pinnedRecipe === undefined ? [] : recipeDifference(pinnedRecipe, settings.pinned)).map(
      ({ path, before, after }) =>
        `${path}: ${JSON.stringify(before)} in the directory, ${JSON.stringify(after)} in the recipe`,
    ),
    ...(alignment?.problems ?? []),
  ]
  return {
    name: recipe.name,
    directory,
    splits: settings.splits.map((split) =>
      splitPlan(
        split,
        settings.shards.filter((shard) => shard.split === split),
      ),
    ),
    stages: plannedStages(recipe.kun).map(({ name, kind, ofChunks, model }) => ({
      stage: name,
      model: recipe.models[model]?.model ?? model,
      servers: endpointNames(recipe.models[model]?.endpoints ?? []),
      callsPerChunk: (ofChunks ? 1 : recipe.kun.label.variants) * (kind === 'pair' || kind === 'ifd' ? 2 : 1),
    })),
    tokensOf: settings.prepare.chunk.tokensOf,
    state: record === null ? 'new' : differences.length > 0 ? 'refused' : 'resumes',
    cutsCommitted: cuts.length,
    differences,
    notes: alignment?.notes ?? [],
  }
}

function splitPlan(split: string, shards: readonly Shard[]): SplitPlan {
  const sizes = shards.map(({ sizeBytes }) => sizeBytes)
  const known = sizes.filter((size) => size !== null)
  return {
    split,
    shards: shards.length,
    bytes: known.length === sizes.length ? known.reduce((sum, size) => sum + size, 0) : null,
    // Not Math.max(...known): there may be more shards than a call can have arguments.
    largestBytes: known.reduce((largest, size) => Math.max(largest, size), 0),
    faulty: shards.flatMap(({ path, reject }) => (reject == null ? [] : [{ path, ...reject }])),
  }
}

export function planText(plan: RunPlan): string {
  const { name, directory, splits, stages, tokensOf, state, cutsCommitted, differences, notes } = plan
  const sizeText = (bytes: number | null): string => (bytes === null ? say`size unknown` : bytesText(bytes))
  const allKnown = splits.every(({ bytes }) => bytes !== null)
  const bytes = allKnown ? splits.reduce((sum, split) => sum + (split.bytes ?? 0), 0) : null
  const shards = splits.reduce((sum, split) => sum + split.shards, 0)
  const states = {
    new: say`${directory} does not contain a run.`,
    resumes: say`${directory} contains this run: ${countText(cutsCommitted, 'cut is', 'cuts are')} committed, and would be resumed.`,
    refused: say`${directory} contains a run of another recipe, which would be refused:`,
  }
  const faulty = splits.flatMap((split) => split.faulty)
  const reads = say`${pc.bold(name)} would read ${countText(shards, 'shard')}, ${sizeText(bytes)}`
  const stageWidth = 1 + Math.max(7, ...stages.map(({ stage }) => stage.length))
  return [
    faulty.length > 0 ? say`${reads}; ${faulty.length} cannot be read` : reads,
    ...splits.map(
      (split) =>
        say`  ${split.split.padEnd(12)}${String(split.shards).padStart(7)} ${translated(split.shards === 1 ? 'shard ' : 'shards')}  ${sizeText(split.bytes).padStart(9)}, the largest ${bytesText(split.largestBytes)}`,
    ),
    ...faultyLines(faulty),
    '',
    say`and would call, for each chunk after filters and deduplication, at most`,
    ...stages.map(
      ({ stage, model, servers, callsPerChunk }) =>
        say`  ${stage.padEnd(stageWidth)}${callsPerChunk} ${translated(callsPerChunk === 1 ? 'call ' : 'calls')} to ${model} at ${listText(servers)}`,
    ),
    ...tokenLines(
      stages.find(({ stage }) => stage === 'label'),
      tokensOf,
    ),
    '',
    states[state],
    ...differences.map((line) => `  ${line}`),
    ...notes.map((line) => `  ${line}`),
  ].join('\n')
}

/** What a reader should know about the limits of chunks; nothing where the family of the label model is known. */
function tokenLines(label: StagePlan | undefined, tokensOf: string): string[] {
  if (label === undefined || label.servers.includes('builtin')) return []
  const { model } = label
  if (tokensOf === 'server') return [say`chunks: limits are fitted to /tokenize of ${model} when the run starts`]
  if (tokensOf !== 'unknown' || tokenFamilyOf(model) !== 'unknown') return []
  return [
    say`chunks: ${model} matches no known family of tokenizers, and gets the limits of Yi; set prepare.chunk.tokensOf to a family, or to server`,
  ]
}
