/** Kinds of instructions: variants of one chunk should differ in more than their words. */

export const instructionKinds = ['question', 'task', 'role'] as const
type InstructionKind = (typeof instructionKinds)[number]

const difficulties = ['basic', 'applied', 'expert'] as const

/** The kind of one variant. */
export interface VariantKind {
  /** Cell of the column `kind`. Example: 'task-basic'. */
  readonly name: string
  /** Sentence that asks for it. */
  readonly words: string
}

const kindWords: Readonly<Record<InstructionKind, string>> = {
  question: '写成一个问题，用问句',
  task: '写成一项任务，用祈使句，例如说明、比较、归纳、撰写',
  role: '写成某个具体身份的人提出的请求，用第一人称交代他的处境和目的',
}

const difficultyWords: Readonly<Record<(typeof difficulties)[number], string>> = {
  basic: '普通人日常就会这样问',
  applied: '面向正在学习或工作中要用到它的人',
  expert: '面向熟悉这个领域的人，要求说明原因或细节',
}

/**
 * Returns the kind of a variant: the kinds in turn, from a place that the chunk's id decides; the difficulties too, so
 * that the first 3 × kinds variants are all different.
 *
 * @param chunkId hexadecimal, as by `recordId`
 * @param kinds not empty
 */
export function kindOf(chunkId: string, variant: number, kinds: readonly InstructionKind[]): VariantKind {
  const drawn = Number.parseInt(chunkId.slice(0, 8), 16) || 0
  const place = (drawn + variant) % (kinds.length * difficulties.length)
  const ordinal = place % kinds.length
  const round = Math.floor(place / kinds.length) + ordinal
  const kind = kinds[ordinal] as InstructionKind
  const difficulty = difficulties[round % difficulties.length] as (typeof difficulties)[number]
  return {
    name: `${kind}-${difficulty}`,
    words: `这一次请把指令${kindWords[kind]}；${difficultyWords[difficulty]}。`,
  }
}
