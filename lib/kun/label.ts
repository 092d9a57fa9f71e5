/** Back-translation: asks the label model for the instructions to which a chunk would be the reply. */
import { Child, type Dropped } from '../core/types.js'
import type { CompletionRequest, Fault, Model } from '../llm/types.js'
import type { Column } from '../parquet/columns.js'
import type { Reply } from '../storage/replies/types.js'
import { recordId } from '../text/identity.js'
import { examOf } from './exam.js'
import { instructionKinds, kindOf, type VariantKind } from './kinds.js'
import { type LabelOptions, samplingOf } from './options.js'
import { kunSampling } from './preset.js'
import { promptVersion, templateOf } from './prompts.js'
import { comparisonForm } from './replies/comparison-form.js'
import { type PersonalReading, readPersonal } from './replies/personal.js'
import { type InstructionContext, readInstructions } from './replies/read-instruction.js'
import { readingOf, readOnce } from './replies/reading.js'
import { saysNone } from './replies/refusal.js'
import type { Reading } from './replies/types.js'
import { stageRanks } from './stage-ranks.js'
import { type Candidate, type KunStage, type Pair, type StageCall, type StageCells, withCells } from './types.js'

/**
 * Emits one pair for each of `variants` attempts, in order of variant. An unusable attempt is a child that is dropped, so
 * that attempts = pairs kept + pairs dropped.
 *
 * With `severalInstructions: variants` each instruction of a reply is an attempt: instruction i of request v is variant
 * v + i × `variants`, so that the first of each reply has the same id either way. Those beyond `severalInstructionsMax`
 * are one attempt more, dropped as 'surplus-instructions'.
 *
 * A variant that equals an earlier one is dropped as 'duplicate-variant'. The variants are requested concurrently; their
 * numbers decide which one is earlier.
 */
export function labelStage(model: Model, options: LabelOptions): KunStage<Candidate, Pair> {
  const template = templateOf(options.prompt)
  const sampling = samplingOf(kunSampling, template.sampling, options.sampling)
  const kinds = kindsOf(options)
  const appends = options.prompt === 'label-chat'

  /** Cells of `labelColumns`. */
  function cellsOf(kind: VariantKind | null, route: 'label' | 'exam'): StageCells {
    return { ...(kinds.length > 0 && { kind: kind?.name ?? null }), ...(options.exams === 'extract' && { route }) }
  }

  function extracted(candidate: Candidate): Pair | null {
    const exam = options.exams === 'extract' ? examOf(candidate.text) : null
    if (exam === null) return null
    const { split, shard, offset, chunk } = candidate
    const id = recordId(split, shard, offset, chunk, 0)
    return withCells(
      { ...unlabelled, candidate, variant: 0, id, columns: candidate.columns, ...exam },
      cellsOf(null, 'exam'),
    )
  }

  async function ask(candidate: Candidate, variant: number, { position, signal }: StageCall): Promise<Labelled[]> {
    const { split, shard, offset, chunk, text, title, heading } = candidate
    const id = recordId(split, shard, offset, chunk, variant)
    const kind = kinds.length === 0 ? null : kindOf(candidate.id, variant, kinds)
    const fields = { text, title, heading, instruction: '', ...(kind && { columns: { kind: kind.words } }) }
    const request = { ...withLine(template.render(fields), appends ? (kind?.words ?? '') : ''), sampling }
    const context = { text, title }
    const read = readOnce((reply) => readReply(reply, context, options))
    const usable = (reply: Reply) => firstUsable(read(reply.text).readings)
    const reading = readingOf(options.filter.reading, request, usable)
    const answer = await model.ask({
      record: id,
      position: [...position, variant],
      stage: 'label',
      stageOrder: stageRanks.label,
      request,
      fault: reading.fault,
      // A model that says there is none has read the text: another attempt would press it for one.
      retry: (fault, last) => (isNone(fault) ? null : reading.retry(fault, last)),
      signal,
    })
    const columns = { ...candidate.columns, ...cellsOf(kind, 'label') }
    const attempt = (ordinal: number): Pair => {
      const number = variant + ordinal * options.variants
      return { ...unlabelled, candidate, variant: number, id: recordId(split, shard, offset, chunk, number), columns }
    }
    if ('verdict' in answer) {
      return [{ pair: attempt(0), dropped: { drop: answer.verdict.reason, detail: answer.verdict.detail } }]
    }
    const { readings, surplus } = read(answer.reply.text)
    const labelled = readings.map(({ text: instruction, fault, masked }, ordinal): Labelled => {
      const personal = Object.keys(masked).length > 0 && { personal: { instruction: masked } }
      const pair = { ...attempt(ordinal), ...personal, instruction, labelAttempt: answer.attempt }
      return { pair, dropped: fault === null ? null : { drop: fault.reason, detail: fault.detail } }
    })
    if (surplus === 0) return labelled
    const detail = `${surplus} beyond the first ${readings.length}`
    return [...labelled, { pair: attempt(readings.length), dropped: { drop: 'surplus-instructions', detail } }]
  }

  return {
    name: 'label',
    stageOrder: stageRanks.label,
    promptVersion: promptVersion(template),
    columns: labelColumns(options),
    run: async (candidate, call) => {
      const exam = extracted(candidate)
      if (exam !== null) return { emit: [exam] }
      const replies = Array.from({ length: options.variants }, (_, variant) => ask(candidate, variant, call))
      const attempts = (await Promise.all(replies)).flat().sort((a, b) => a.pair.variant - b.pair.variant)
      return { emit: withoutRepeats(attempts) }
    },
  }
}

/** Returns the columns of the stage: `kind` if kinds are asked for, `route` if exams are extracted. */
export function labelColumns(options: LabelOptions): readonly Column[] {
  return [
    ...(kindsOf(options).length > 0 ? [{ name: 'kind', type: 'string', nullable: true } as const] : []),
    ...(options.exams === 'extract' ? [{ name: 'route', type: 'string', nullable: true } as const] : []),
  ]
}

/** Returns the kinds that the prompt can ask for: the format of a trained label model has no place for them. */
function kindsOf({ kinds, variants, prompt }: LabelOptions) {
  const hasPlace =
    prompt === 'label-chat' || (typeof prompt === 'object' && 'text' in prompt && prompt.text.includes('{kind}'))
  return hasPlace ? (kinds ?? (variants > 1 ? instructionKinds : [])) : []
}

type Pieces = Pick<CompletionRequest, 'kind' | 'messages' | 'prompt'>

/** Appends a line to the last message: the variants of a text share the prefix before it. */
function withLine(pieces: Pieces, line: string): Pieces {
  if (line === '' || pieces.messages === undefined) return pieces
  const last = pieces.messages.length - 1
  const messages = pieces.messages.map((message, index) =>
    index === last ? { ...message, content: `${message.content}\n\n${line}` } : message,
  )
  return { ...pieces, messages }
}

function isNone(fault: Fault): boolean {
  return typeof fault === 'object' && 'text' in fault && saysNone(fault.text)
}

interface Labelled {
  readonly pair: Pair
  readonly dropped: Dropped | null
}

const unlabelled = {
  instruction: '',
  labelAttempt: -1,
  output: null,
} as const

interface SeveralReadings {
  readonly readings: readonly [PersonalReading, ...PersonalReading[]]
  readonly surplus: number
}

/** Reads the instructions of a reply, each under the rule for personal data. */
function readReply(reply: string, context: InstructionContext, options: LabelOptions): SeveralReadings {
  const max = options.severalInstructions === 'first' ? 1 : options.severalInstructionsMax
  const read = (text: string) => readInstructions(text, context, options.filter, max)
  const personal = (ordinal: number) =>
    readPersonal(reply, options.personal, (text) => read(text).readings[ordinal] ?? empty, 'instruction-personal')
  const { readings, surplus } = read(reply)
  return {
    readings: [personal(0), ...readings.slice(1).map((_, index) => personal(index + 1))],
    surplus: options.severalInstructions === 'first' ? 0 : surplus,
  }
}

/** What is left of an instruction that is nothing but masked data. */
const empty: Reading = { text: '', fault: { reason: 'empty-reply', detail: '' } }

/** A reply is as good as its best instruction: without any, its first decides. */
function firstUsable(readings: SeveralReadings['readings']): PersonalReading {
  return readings.find(({ fault }) => fault === null) ?? readings[0]
}

function withoutRepeats(variants: readonly Labelled[]): (Pair | Child<Pair>)[] {
  const firsts = new Map<string, Pair>()
  return variants.map(({ pair, dropped }) => {
    if (dropped !== null) return new Child(pair, dropped)
    const form = comparisonForm(pair.instruction)
    const first = firsts.get(form)
    if (first !== undefined)
      return new Child(pair, { drop: 'duplicate-variant', detail: `of variant ${first.variant}` })
    firsts.set(form, pair)
    return pair
  })
}
