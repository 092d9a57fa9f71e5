/**
 * The way of one record through every stage: source, chunks, and for each chunk the requests as sent, the replies and
 * what each stage did. Nothing is sent and nothing is written. A duplicate is not recognised here: that needs all records before it.
 */
import { Child, type Dropped, type Failed, type Outcome } from '../../core/types.js'
import type { KunStages } from '../../kun/stages.js'
import { kunStages } from '../../kun/stages.js'
import type { Candidate, KunStage, Pair, StageCells } from '../../kun/types.js'
import { assumedCapabilities } from '../../llm/endpoint/capabilities.js'
import type { Capabilities } from '../../llm/types.js'
import type { Replies } from '../../storage/replies/replies.js'
import type { Reply } from '../../storage/replies/types.js'
import type { Block, PrepareReject } from '../../text/block.js'
import { recordId } from '../../text/identity.js'
import { planPreparation } from '../../text/plan.js'
import { createPreparer, prepareBlock } from '../../text/prepare.js'
import { withDecontamination } from '../decontamination/plan.js'
import { ChunkCandidate, isPair } from '../records.js'
import type { KunSettings } from '../settings.js'
import { decontaminated } from '../stages/decontaminate.js'
import { signaturePlan } from '../stages/prepare.js'
import { ReplyMissing, type TracedRequest, traceModel } from './model.js'

/** What one stage did with a chunk or pair. */
export interface TracedStage {
  readonly stage: string
  readonly id: string
  readonly requests: readonly TracedRequest[]
  /** 'kept', 'dropped', or 'not-requested': the run has no reply of it. */
  readonly outcome: 'kept' | 'dropped' | 'not-requested'
  readonly reason: string
  readonly detail: string
  /** Of a pair that is kept, after the stage. */
  readonly instruction: string
  readonly output: string | null
  readonly columns: StageCells
}

export interface TracedChunk {
  readonly id: string
  readonly chunk: number
  readonly tokens: number
  readonly title: string
  readonly heading: string
  readonly text: string
  readonly stages: readonly TracedStage[]
}

/** JSON-safe. */
export interface RecordTrace {
  readonly split: string
  readonly shard: string
  readonly offset: number
  /** The record as it is in the shard. */
  readonly source: string
  readonly chunks: readonly TracedChunk[]
  /** Why the record, or a chunk of it, was rejected before the models. */
  readonly rejects: readonly Omit<PrepareReject, 'document'>[]
}

interface TraceOptions {
  readonly settings: KunSettings
  /** A block of one record. */
  readonly block: Block
  /** By model; what a server would need is assumed without them. */
  readonly capabilities: Readonly<Record<string, Capabilities>>
  /** Null for a preview, which makes replies up. */
  readonly replies: Pick<Replies, 'find'> | null
  /** Whether the stages of a chunk are traced: not those of a duplicate. */
  readonly wants: (id: string, chunk: number) => boolean
}

export async function traceRecord({
  settings,
  block,
  capabilities,
  replies,
  wants,
}: TraceOptions): Promise<RecordTrace> {
  const { prepare, dedup } = settings
  const planned = await planPreparation(prepare, process.cwd(), signaturePlan(dedup.near))
  const plan = await withDecontamination(planned, prepare.decontaminate, process.cwd())
  const source = Buffer.from(block.bytes).toString().trim()
  const prepared = prepareBlock(block, await createPreparer(plan))
  const requests: TracedRequest[] = []
  const model = (name: string) => {
    const options = settings.models[name]
    if (options === undefined) throw new TypeError(`no model ${name}`)
    return traceModel({
      ...{ options, seed: settings.seed, replies, placeholder },
      capabilities: capabilities[name] ?? {
        ...assumedCapabilities(),
        logprobs: true,
        topLogprobs: 20,
        continues: true,
      },
      onRequest: (request) => requests.push(request),
    })
  }
  const names = Object.fromEntries(Object.entries(settings.models).map(([name, options]) => [name, options.model]))
  const stages = kunStages(settings.kun, { model }, names)
  const index = plan.contamination?.index ?? null
  const checked = {
    ...stages,
    label: stages.label && decontaminated(stages.label, index),
    pairs: stages.pairs.map((stage) => decontaminated(stage, index)),
  }
  const chunks: TracedChunk[] = []
  for (let row = 0; row < prepared.chunks.rows; row++) {
    const offset = prepared.chunks.offset[row] as number
    const chunk = prepared.chunks.chunk[row] as number
    const id = recordId(block.split, block.shard, offset, chunk)
    const candidate = new ChunkCandidate(prepared, row)
    const tracer = new ChunkTracer(requests, replies === null)
    if (wants(id, chunk)) await tracer.run(candidate, checked)
    const { tokens, title, heading, text } = candidate
    chunks.push({ id, chunk, tokens, title, heading, text, stages: tracer.stages })
  }
  const rejects = prepared.rejects.map(({ document: _, ...reject }) => reject)
  return { split: block.split, shard: block.shard, offset: block.offset, source, chunks, rejects }
}

class ChunkTracer {
  readonly stages: TracedStage[] = []
  readonly #requests: TracedRequest[]
  readonly #isPreview: boolean

  constructor(requests: TracedRequest[], isPreview: boolean) {
    this.#requests = requests
    this.#isPreview = isPreview
  }

  async run(
    candidate: Candidate,
    { chunks, label, pairs }: Pick<KunStages, 'chunks' | 'label' | 'pairs'>,
  ): Promise<void> {
    let current: Candidate = candidate
    for (const stage of chunks) {
      const [next] = await this.#stage(stage, current, [])
      if (next === undefined) return
      current = next
    }
    if (label === null) return
    for (const pair of await this.#stage(label, current, [])) {
      let kept: Pair = pair
      for (const stage of pairs) {
        const [next] = await this.#stage(stage, kept, [kept])
        if (next === undefined) break
        kept = next
      }
    }
  }

  /**
   * Returns the values that continue.
   *
   * @param inPreview values that continue where a preview drops the input: its made-up replies decide nothing
   */
  async #stage<In extends Candidate | Pair, Out extends Candidate | Pair>(
    stage: KunStage<In, Out>,
    input: In,
    inPreview: readonly Out[],
  ): Promise<readonly Out[]> {
    const before = this.#requests.length
    const requests = () => this.#requests.slice(before)
    const { signal } = new AbortController()
    let outcome: Outcome<Out>
    try {
      outcome = await stage.run(input, { position: [0], signal })
    } catch (error) {
      if (!(error instanceof ReplyMissing)) throw error
      this.#add(stage.name, input, requests(), null)
      return []
    }
    if (!('emit' in outcome)) {
      this.#add(stage.name, input, requests(), this.#isPreview ? undefined : outcome)
      return this.#isPreview ? inPreview : []
    }
    const kept: Out[] = []
    for (const value of outcome.emit) {
      const isChild = value instanceof Child
      const record = isChild ? value.value : value
      const own = requests().filter((request) => request.record === record.id)
      this.#add(
        stage.name,
        record,
        own.length > 0 ? own : requests(),
        isChild && !this.#isPreview ? value.outcome : undefined,
      )
      if (!isChild || this.#isPreview) kept.push(record)
    }
    return this.#isPreview ? kept.slice(0, 1) : kept
  }

  /** @param ended undefined: kept · null: not requested */
  #add(
    stage: string,
    record: Candidate | Pair,
    requests: readonly TracedRequest[],
    ended: Dropped | Failed | null | undefined,
  ): void {
    const pair = isPair(record) ? record : null
    const dropped = ended ? ('drop' in ended ? ended : { drop: ended.fail.name, detail: ended.fail.message }) : null
    this.stages.push({
      ...{ stage, id: record.id, requests, columns: record.columns },
      outcome: ended === undefined ? 'kept' : ended === null ? 'not-requested' : 'dropped',
      reason: dropped?.drop ?? '',
      detail: dropped?.detail ?? '',
      instruction: pair?.instruction ?? '',
      output: pair?.output ?? null,
    })
  }
}

/** Replies of a preview: a good grade, and texts that say what will be there. */
function placeholder(stage: string): Reply {
  const texts: Readonly<Record<string, string>> = {
    label: '（此处为标注模型写出的指令）请根据主题写一段介绍。',
    polish: '（此处为润色模型写出的答案）',
  }
  return {
    text: texts[stage] ?? '【好】',
    finishReason: 'stop',
    promptTokens: 0,
    completionTokens: 0,
    firstTokenLogprobs: { 好: 0, 差: -20 },
  }
}
