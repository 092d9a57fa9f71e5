/**
 * Makes the cut at which a limit of rows is reached: the stages run again over the records of its unit and the replies of the
 * attempt that counts, up to the row that reaches the limit. No request is sent.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Credit } from '../core/credit.js'
import { CorruptFileError } from '../errors.js'
import type { KunStages } from '../kun/stages.js'
import { say } from '../language/say.js'
import { type ModelServers, openServers } from '../llm/scheduler/model-servers.js'
import type { ObjectStore } from '../objects/object-store.js'
import { Accounting, type Counters } from '../run/accounting.js'
import { recordCredit } from '../run/record-credit.js'
import type { KunSettings } from '../run/settings.js'
import { openCutWriter, type RunDirectory, type RunRecord } from '../sinks/index.js'
import { closeAfter, closeAll } from '../storage/close-all.js'
import { makeDurableDirectory } from '../storage/files.js'
import { openReplies } from '../storage/replies/replies.js'
import { repliesFolder, spillName } from '../storage/run-layout.js'
import { generateCut } from './generate-cut.js'
import { readDecisions } from './unit-decisions.js'
import { fetchUnit } from './unit-fetch.js'
import { attemptPrefix } from './unit-keys.js'
import type { PlanLine } from './unit-plan.js'
import type { UnitResult } from './unit-result.js'
import { openMaker, readCapabilities, sessionStages } from './worker-parts.js'

/** Folder of the replies that a cut is made again from; deleted at its end. */
const limitFolder = 'limit'

/** Options for `openReplay`. */
interface ReplayOptions {
  readonly store: ObjectStore
  readonly record: RunRecord
  readonly settings: KunSettings
  readonly signal: AbortSignal
  readonly onEvent?: (message: string) => void
}

/** Servers that answer nothing, and the stages of the run. */
export interface Replay {
  readonly options: ReplayOptions
  readonly servers: ModelServers
  readonly stages: KunStages
  close(): Promise<void>
}

/** Opens the stages of a run without its servers. */
export async function openReplay(options: ReplayOptions): Promise<Replay> {
  const { store, settings } = options
  const refuse = async (): Promise<never> => {
    throw new CorruptFileError(say`a reply of the unit is missing: the unit must be generated again`)
  }
  const servers = await openServers({
    models: settings.models,
    seed: settings.seed,
    servers: settings.servers,
    pinned: (await readCapabilities(store)) ?? {},
    probe: false,
    connect: (label) => ({ label, send: refuse, fetch: refuse, close: async () => undefined }),
  })
  const stages = sessionStages({ settings, contamination: null }, servers, null)
  return { options, servers, stages, close: () => servers.close() }
}

/** Makes the cut up to the limit in the run directory. @returns the cumulative counters */
export async function replayToLimit(
  { options, servers }: Replay,
  { directory, files, lock }: RunDirectory,
  line: PlanLine,
  { attempt, unit: id, replies: segments }: UnitResult,
  before: Counters,
): Promise<Counters> {
  const { store, settings, record, signal, onEvent } = options
  const scratch = join(directory, limitFolder)
  await rm(scratch, { recursive: true, force: true })
  await makeDurableDirectory(files, scratch)
  const closings = [() => rm(scratch, { recursive: true, force: true })]
  try {
    const from = join(scratch, 'from')
    for (const segment of segments) {
      await store.getFile(`${attemptPrefix(id, attempt)}${repliesFolder}/${segment}`, join(from, segment))
    }
    const replies = await openReplies({
      files,
      directory: join(scratch, repliesFolder),
      from: [from],
      ...(onEvent && { onWarning: onEvent }),
    })
    closings.unshift(() => replies.close())
    const session = servers.session(replies, [line.firstBlock])
    closings.unshift(async () => session.end())
    const { row } = sessionStages({ settings, contamination: null }, session, null)
    const maker = await openMaker(settings, record, row)
    const stages = sessionStages(maker, session, null)
    const writer = await openCutWriter({
      ...{ files, directory, splits: settings.splits, columns: maker.columns, encoder: maker.encoder },
      from: { cut: line.cut - 1 },
      rowsPerFile: settings.output.rowsPerFile,
      rowGroupBytesMax: settings.output.rowGroupBytesMax,
      fence: () => lock.confirm(),
    })
    closings.unshift(() => writer.abandon())
    const entry = await generateCut(
      {
        ...{ settings, files, servers: session, stages, writer, row: maker.row },
        unit: await fetchUnit(store, files, line, scratch),
        firstBlock: line.firstBlock,
        decided: await readDecisions(store, id),
        accounting: new Accounting(settings.splits, stages.names, before),
        noYield: { released: () => null },
        rowsMax: settings.limits.rowsMax,
        blockCredit: new Credit('bytes of blocks', settings.memory.inFlightMax),
        itemCredit: recordCredit(settings.models, servers),
        spill: join(scratch, spillName),
      },
      signal,
    )
    await closeAll(closings)
    // Parsing them would change the order of their keys, which is that of stats.json.
    return entry.counters as Counters
  } catch (error) {
    return closeAfter(error, closings)
  }
}
