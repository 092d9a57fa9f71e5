/** Back-translation: asks the label model for the instructions to which a chunk would be the reply. */
import { Child, type Dropped } from '../core/types.js'
import type { Model } from '../llm/types.js'
import type { Reply } from '../storage/replies/types.js'
import { recordId } from '../text/identity.js'
import { kunSampling, type LabelOptions, samplingOf } from './options.js'
import { promptVersion, templateOf } from './prompts.js'
import { comparisonForm } from './replies/comparison-form.js'
import { retryWithReason } from './replies/correction.js'
import { readPersonal } from './replies/personal.js'
import { readInstruction } from './replies/read-instruction.js'
import { contentFault, textFault } from './replies/reply-fault.js'
import { stageRanks } from './stage-ranks.js'
import type { Candidate, KunStage, Pair, StageCall } from './types.js'

/**
 * Emits one pair for each of `variants` attempts, in order of variant. An unusable attempt is a child that is dropped, so
 * that attempts = pairs kept + pairs dropped.
 *
 * A variant that equals an earlier one is dropped as 'duplicate-variant'. The variants are requested concurrently; their
 * numbers decide which one is earlier.
 */
export function labelStage(model: Model, options: LabelOptions): KunStage<Candidate, Pair> {
  const template = templateOf(options.prompt)
  const sampling = samplingOf(kunSampling, template.sampling, options.sampling)

  async function ask(candidate: Candidate, variant: number, { position, signal }: StageCall): Promise<Labelled> {
    const { split, shard, offset, chunk, text, title, heading } = candidate
    const id = recordId(split, shard, offset, chunk, variant)
    const request = { ...template.render({ text, title, heading, instruction: '' }), sampling }
    const readText = (reply: string) => readInstruction(reply, { text, title }, options.filter)
    const read = (reply: Reply) => readPersonal(reply.text, options.personal, readText, 'instruction-personal')
    const answer = await model.ask({
      record: id,
      position: [...position, variant],
      stage: 'label',
      stageOrder: stageRanks.label,
      request,
      fault: (reply) => textFault(reply) ?? contentFault(read(reply)),
      retry: retryWithReason(request),
      signal,
    })
    const pair = { ...unlabelled, candidate, variant, id, columns: candidate.columns }
    if ('verdict' in answer) {
      return { pair, dropped: { drop: answer.verdict.reason, detail: answer.verdict.detail } }
    }
    const { text: instruction, masked } = read(answer.reply)
    const personal = Object.keys(masked).length > 0 && { personal: { instruction: masked } }
    const labelled = { ...pair, ...personal, instruction, labelAttempt: answer.attempt }
    return { pair: labelled, dropped: null }
  }

  return {
    name: 'label',
    stageOrder: stageRanks.label,
    promptVersion: promptVersion(template),
    columns: [],
    run: async (candidate, call) => {
      const variants = Array.from({ length: options.variants }, (_, variant) => ask(candidate, variant, call))
      return { emit: withoutRepeats(await Promise.all(variants)) }
    },
  }
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
