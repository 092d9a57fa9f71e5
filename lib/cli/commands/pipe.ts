/**
 * `kun-stream pipe`: the text stages between standard input and standard output, in worker threads, in input order.
 * What a stage does is lib/text and lib/dedup; here they are put in a row and their outcome is written.
 */
import { type Command, Option } from 'commander'
import { type Deduplicator, type Duplicate, dedupOptions, openDeduplicator } from '../../dedup/index.js'
import { UsageError } from '../../errors.js'
import { blocks, localShards, readOptions, type Shard, stdinShard } from '../../sources/index.js'
import { type PreparedBlock, releaseColumns } from '../../text/block.js'
import { recordId } from '../../text/identity.js'
import { type PreparePlan, planPreparation, prepareOptions } from '../../text/plan.js'
import { workerPool, workersOptions } from '../../workers/pool.js'
import { ArrowRows, JsonRows, rejectLines } from '../pipe-rows.js'
import { temporaryFolder } from '../temporary-folder.js'
import { counted } from '../terminal/bytes-text.js'
import { fileOutput, Output, ReaderGone, writeErr } from '../terminal/output.js'
import { UnreadableRecords } from '../unreadable-records.js'

const stageNames = ['clean', 'filter', 'chunk', 'dedup'] as const
type StageName = (typeof stageNames)[number]

interface PipeFlags {
  readonly stages: string
  readonly to: 'jsonl' | 'arrow'
  readonly text: string
  readonly id?: string
  readonly threads: string
  readonly rejects?: string
}

export function registerPipe(program: Command): void {
  program
    .command('pipe')
    .description('run the text stages alone: JSON Lines in, chunks out as JSON Lines or an Arrow stream')
    .argument('[files...]', 'files or globs in any format that a recipe reads; - or nothing reads standard input')
    .option('--stages <names>', `of ${stageNames.join(', ')}, in this order; clean always runs`, stageNames.join(','))
    .addOption(new Option('--to <format>', 'format on standard output').choices(['jsonl', 'arrow']).default('jsonl'))
    .option('--text <field>', 'field of the text', 'text')
    .option('--id <field>', "field of the record's own id")
    .option('--threads <n>', 'worker threads; auto is one fewer than there are cores', 'auto')
    .option('--rejects <file>', 'write what was dropped, and why, as JSON Lines')
    .action(async (files: string[], flags: PipeFlags) => {
      try {
        await pipe(files, flags)
      } catch (error) {
        if (!(error instanceof ReaderGone)) throw error
      }
    })
}

async function pipe(files: readonly string[], flags: PipeFlags): Promise<void> {
  const stages = parseStages(flags.stages)
  const threads = workersOptions.safeParse({ threads: flags.threads === 'auto' ? 'auto' : Number(flags.threads) })
  if (!threads.success) throw new UsageError(`--threads is ${flags.threads}: give a number from 1, or auto`)
  const shards = await shardsOf(files, flags)
  const rejects = flags.rejects === undefined ? null : await fileOutput(flags.rejects)
  const pool = workerPool({ plan: await planOf(stages), threads: threads.data.threads })
  const folder = stages.has('dedup') ? temporaryFolder('pipe') : null
  const deduplicator =
    folder === null
      ? null
      : await openDeduplicator({ options: dedupOptions.parse({ index: 'exact' }), directory: folder.path })
  const rows = flags.to === 'arrow' ? new ArrowRows() : new JsonRows()
  const output = new Output(process.stdout)
  const counts = { documents: 0, chunks: 0, kept: 0, rejected: 0 }
  const unreadable = new UnreadableRecords()
  try {
    for await (const prepared of preparedInOrder(shards, pool)) {
      const { chunks } = prepared
      const ids = Array.from({ length: chunks.rows }, (_, row) =>
        recordId(prepared.split, prepared.shard, chunks.offset[row] as number, chunks.chunk[row] as number),
      )
      const verdicts = await decide(deduplicator, prepared, ids)
      const kept = ids.map((_, row) => row).filter((row) => verdicts[row] === null)
      counts.documents += prepared.documents
      counts.chunks += chunks.rows
      counts.kept += kept.length
      counts.rejected += prepared.rejects.length
      for (const { stage, chunk, detail } of prepared.rejects) {
        if (chunk === null && stage !== 'filter' && stage !== 'chunk') unreadable.add(detail)
      }
      await rejects?.write(rejectLines(prepared, ids, verdicts))
      await output.write(rows.encode(prepared, ids, kept))
      releaseColumns(prepared)
    }
    await output.write(rows.end())
    await output.end()
    await rejects?.end()
    const unread = unreadable.all(counts.documents)
    if (unread !== null) throw new UsageError(`--text is ${flags.text}: ${unread}`)
    writeErr(
      `${counted(counts.documents, 'document')}: ${counted(counts.kept, 'chunk')} out, ${counted(counts.chunks - counts.kept, 'duplicate')}, ` +
        `${counts.rejected} refused${counts.rejected > 0 && rejects === null ? ' (--rejects FILE says why)' : ''}\n`,
    )
  } finally {
    await pool.close()
    await deduplicator?.close()
    folder?.remove()
  }
}

function parseStages(given: string): Set<StageName> {
  const names = given.split(',').map((name) => name.trim())
  const places = names.map((name) => stageNames.indexOf(name as StageName))
  if (places.includes(-1) || places.some((place, i) => i > 0 && place <= (places[i - 1] as number))) {
    throw new UsageError(`--stages is ${given}: give some of ${stageNames.join(',')}, in this order`)
  }
  return new Set(names as StageName[])
}

/** Stages that are left out let everything pass: no quality bound, and chunks as long as they may be. */
async function planOf(stages: ReadonlySet<StageName>): Promise<PreparePlan> {
  const { quality } = prepareOptions.parse({})
  const off = Object.fromEntries(Object.keys(quality).map((key) => [key, false as const]))
  const whole = { tokensMax: 1_000_000, charsMin: 1 }
  const options = prepareOptions.parse({
    ...(!stages.has('chunk') && { chunk: whole }),
    ...(!stages.has('filter') && { quality: off }),
  })
  const { near } = dedupOptions.parse({})
  const signatureLength = stages.has('dedup') && near !== false ? near.minima : 0
  return planPreparation(options, process.cwd(), { ngram: 5, signatureLength, seed: 1 })
}

async function shardsOf(files: readonly string[], { text, id }: PipeFlags): Promise<Shard[]> {
  const mapping = { text, ...(id !== undefined && { id }) }
  if (files.length === 0 || (files.length === 1 && files[0] === '-')) {
    return [stdinShard({ split: 'pipe', mapping, input: process.stdin })]
  }
  return localShards({ split: 'pipe', root: process.cwd(), files, mapping })
}

/** Blocks in the threads at once, over the threads: enough that none waits for the next. */
const blocksPerThread = 2

async function* preparedInOrder(
  shards: readonly Shard[],
  pool: ReturnType<typeof workerPool>,
): AsyncGenerator<PreparedBlock, void, undefined> {
  const underWay: Promise<PreparedBlock>[] = []
  for await (const { block } of blocks(shards, { ...readOptions.parse({}), order: 'in-order', shared: true })) {
    const task = pool.prepare(block)
    // It is awaited later, in order: until then a failure must not count as unhandled.
    task.catch(() => undefined)
    underWay.push(task)
    if (underWay.length >= pool.threads * blocksPerThread) yield await (underWay.shift() as Promise<PreparedBlock>)
  }
  for (const task of underWay) yield await task
}

async function decide(
  deduplicator: Deduplicator | null,
  prepared: PreparedBlock,
  ids: readonly string[],
): Promise<readonly (Duplicate | null)[]> {
  return deduplicator === null ? ids.map(() => null) : deduplicator.decide(prepared, ids)
}
