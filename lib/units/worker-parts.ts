/** What a process opens once to generate many units: servers with pinned capabilities, drift detection, benchmarks. */
import { Credit } from '../core/credit.js'
import { CorruptFileError, RunMismatchError } from '../errors.js'
import { columnsOf, type RowOptions } from '../kun/row.js'
import { type KunStages, kunStages } from '../kun/stages.js'
import { say } from '../language/say.js'
import { parseCapabilities } from '../llm/endpoint/capabilities.js'
import type { ModelServers, ServerSession } from '../llm/scheduler/model-servers.js'
import type { Capabilities } from '../llm/types.js'
import type { ObjectStore } from '../objects/object-store.js'
import type { Column } from '../parquet/columns.js'
import { parquetEncoder } from '../parquet/encoders/index.js'
import type { Encoder } from '../parquet/encoders/types.js'
import { Accounting, type Counters } from '../run/accounting.js'
import { addCounters } from '../run/counter-sums.js'
import { withDecontamination } from '../run/decontamination/plan.js'
import { stageStart } from '../run/drift/detector.js'
import type { DriftMonitor, StartsPlace } from '../run/drift/monitor.js'
import { NoYieldDetector } from '../run/no-yield.js'
import { type Closings, openServing } from '../run/open-run.js'
import { recordCredit } from '../run/record-credit.js'
import { Rejected, type ReleasedRecord, recordOf } from '../run/records.js'
import type { KunSettings } from '../run/settings.js'
import { decontaminated } from '../run/stages/decontaminate.js'
import { signaturePlan } from '../run/stages/prepare.js'
import type { UsageLimits } from '../run/usage-limits.js'
import type { RunRecord } from '../sinks/index.js'
import { nodeFiles } from '../storage/files.js'
import { decodeSealed, encodeSealed } from '../storage/sealed-json.js'
import type { ContaminationIndex } from '../text/contamination.js'
import { planSigning } from '../text/plan.js'
import { capabilitiesKey, startKey } from './unit-keys.js'
import { readResult } from './unit-result.js'

const repair = say`Delete it: the next process that opens the servers writes it again`
/** Results whose counters say whether the run yields anything. */
const resultsRead = 4

/** What does not change from unit to unit. */
export interface CutMaker {
  readonly settings: KunSettings
  readonly row: RowOptions
  readonly columns: readonly Column[]
  readonly encoder: Encoder
  readonly contamination: ContaminationIndex | null
}

/** Opens what a cut is made with besides the servers. @throws {RunMismatchError} a file or version is not the pinned one */
export async function openMaker(settings: KunSettings, record: RunRecord, row: KunStages['row']): Promise<CutMaker> {
  const { output, prepare, dedup } = settings
  const encoder = await parquetEncoder({ encoder: output.encoder, ...(output.codec && { codec: output.codec }) })
  mustBePinned('encoder', record.pinned.encoder, encoder.identity)
  const signing = planSigning(signaturePlan(dedup.near))
  const { contamination } = await withDecontamination(signing, prepare.decontaminate, process.cwd())
  mustBePinned('decontaminate', record.pinned.decontaminate, contamination?.files)
  const rows = { ...row, shape: output.shape }
  return { settings, row: rows, columns: columnsOf(rows), encoder, contamination: contamination?.index ?? null }
}

function mustBePinned(name: string, pinned: unknown, found: unknown): void {
  if (JSON.stringify(pinned) === JSON.stringify(found)) return
  throw new RunMismatchError(
    say`run.json pins ${name} ${JSON.stringify(pinned) ?? 'none'}, this process has ${JSON.stringify(found) ?? 'none'}:
      use the same files and the same version of kun-stream on every host`,
    { details: { difference: name } },
  )
}

/** Returns the account of one unit. */
export function unitAccount({ settings }: CutMaker, stages: KunStages): Accounting {
  return new Accounting(settings.splits, stages.names, null, true)
}

/** Returns the stages of a session, with drift detection and the check against benchmarks. */
export function sessionStages(
  { settings, contamination }: Pick<CutMaker, 'settings' | 'contamination'>,
  session: Pick<ServerSession, 'model'>,
  drift: Pick<DriftMonitor, 'stage'> | null,
): KunStages {
  const { kun, models } = settings
  const names = Object.fromEntries(Object.entries(models).map(([name, options]) => [name, options.model]))
  const stages = kunStages(kun, session, names)
  const { label } = stages
  if (drift === null) {
    return {
      ...stages,
      label: label && decontaminated(label, contamination),
      pairs: stages.pairs.map((stage) => decontaminated(stage, contamination)),
    }
  }
  return {
    ...stages,
    chunks: stages.chunks.map((stage) => drift.stage(stage)),
    label: label && drift.stage(decontaminated(label, contamination)),
    pairs: stages.pairs.map((stage) => drift.stage(decontaminated(stage, contamination))),
  }
}

/** Servers of a worker and what watches them. */
export interface Serving {
  readonly servers: ModelServers
  readonly drift: DriftMonitor
  readonly usage: UsageLimits
  readonly row: KunStages['row']
  readonly blockCredit: Credit
  readonly itemCredit: Credit
  readonly noYield: Pick<NoYieldDetector, 'released'>
}

/**
 * Opens the servers with the capabilities that the plan pins. The first process that opens them pins what they have.
 *
 * @throws {EndpointError} a server does not respond, or lacks a pinned capability
 */
export async function openUnitServers(
  store: ObjectStore,
  settings: KunSettings,
  onEvent: (message: string) => void,
  closings: Closings,
): Promise<Serving> {
  const open = (pinned: Readonly<Record<string, Capabilities>>) =>
    openServing(settings, { files: nodeFiles, onEvent }, pinned, closings, false)
  const pinned = await readCapabilities(store)
  let serving = await open(pinned ?? {})
  if (pinned === null) {
    const own = serving.servers.capabilities()
    const counting = await pinCapabilities(store, own)
    if (JSON.stringify(counting) !== JSON.stringify(own)) {
      await closings.shift()?.()
      serving = await open(counting)
    }
  }
  const { servers, drift, usage, stages } = serving
  await drift.openAt(sharedStarts(store, [...stages.described.map(({ name }) => name)], onEvent))
  return {
    servers,
    drift,
    usage,
    row: stages.row,
    blockCredit: new Credit('bytes of blocks', settings.memory.inFlightMax),
    itemCredit: recordCredit(settings.models, servers),
    noYield: await workerNoYield(store, settings, stages),
  }
}

/** Returns the capabilities that the plan pins; null before the first server was opened. */
export async function readCapabilities(store: ObjectStore): Promise<Record<string, Capabilities> | null> {
  const bytes = await store.get(capabilitiesKey)
  if (bytes === null) return null
  return parseCapabilities(decodeSealed(bytes, `${store.url}/${capabilitiesKey}`, repair).models)
}

/** Pins capabilities, if none are pinned. @returns those that are pinned now */
export async function pinCapabilities(
  store: ObjectStore,
  own: Readonly<Record<string, Capabilities>>,
): Promise<Readonly<Record<string, Capabilities>>> {
  const isOurs = await store.putIfAbsent(capabilitiesKey, Buffer.from(encodeSealed({ models: own })))
  return isOurs ? own : ((await readCapabilities(store)) ?? own)
}

/** Keeps the start of each stage in the plan: the first worker that knows it decides. */
function sharedStarts(store: ObjectStore, stages: readonly string[], onEvent: (message: string) => void): StartsPlace {
  const readOne = async (stage: string) => {
    const bytes = await store.get(startKey(stage))
    if (bytes === null) return []
    const path = `${store.url}/${startKey(stage)}`
    const { data } = stageStart.safeParse(decodeSealed(bytes, path, repair).start)
    if (data === undefined) throw new CorruptFileError(say`${path} is damaged. ${repair}`, { details: { path } })
    return [[stage, data] as const]
  }
  const read = async () => Object.fromEntries((await Promise.all(stages.map(readOne))).flat())
  return {
    read,
    write: async (starts) => {
      for (const [stage, start] of Object.entries(starts)) {
        await store.putIfAbsent(startKey(stage), Buffer.from(encodeSealed({ start })))
      }
      return read()
    },
    discard: async () => {
      for (const stage of stages) await readOne(stage).catch(() => store.remove(startKey(stage)))
    },
    onEvent,
  }
}

/**
 * Returns a detector for the model stages: what ends before them was judged when the units were prepared. It begins with the
 * counters of a few results, so that a worker that starts late does not stop at a poor stretch of the input.
 */
async function workerNoYield(
  store: ObjectStore,
  { noYield: { recordsMax } }: KunSettings,
  { described }: KunStages,
): Promise<Pick<NoYieldDetector, 'released'>> {
  let from: Counters | null = null
  let results = 0
  for await (const key of store.list('results/')) {
    const id = /\/([^/]+)\.json$/.exec(key)?.[1]
    const found = id === undefined ? null : await readResult(store, id).catch(() => null) // assembly reports the damage
    if (found === null) continue
    from = from === null ? found.counters : addCounters(from, found.counters, {})
    if (++results >= resultsRead) break
  }
  const detector = new NoYieldDetector({ recordsMax, llmStages: described.map(({ name }) => name), from })
  return { released: (released: ReleasedRecord) => (isOfModels(released) ? detector.released(released) : null) }
}

function isOfModels(released: ReleasedRecord): boolean {
  const record = recordOf(released)
  return record !== null && !(record instanceof Rejected) && released.settlement?.stage !== 'dedup'
}
