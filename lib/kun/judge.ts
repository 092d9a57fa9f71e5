/**
 * A judge: a model that grades a prompt as 【好】 or 【差】. It reads the grade from the probabilities of one token where the
 * server can, and from the written word otherwise. Stages decide what is graded and which grade is enough.
 */
import type { Dropped } from '../core/types.js'
import type { Capabilities, Model } from '../llm/types.js'
import type { RejectReasonName } from '../reject-reasons.js'
import type { Reply } from '../storage/replies/types.js'
import { type ScoreOptions, samplingOf } from './options.js'
import { kunSampling } from './preset.js'
import { type PromptFields, prefillScore, type Template } from './prompts.js'
import { shortened } from './replies/excerpt.js'
import { type Grade, gradeOf, topLogprobsMax, verdictFault } from './replies/grade.js'
import { publishedGrade, writtenGradeFault } from './replies/published.js'
import { scoreFault } from './replies/reply-fault.js'
import type { ScoreKind, StageCall } from './types.js'

/** Options of each stage that grades. */
type JudgeOptions = Pick<ScoreOptions, 'method' | 'massAtLeast' | 'sampling'>

/** One prompt to grade. */
interface GradeCall extends StageCall {
  /** Public id of the chunk or pair. */
  readonly record: string
  readonly stage: string
  readonly stageOrder: number
  readonly fields: PromptFields
  /** Reason of a reply without a grade. */
  readonly unreadable: RejectReasonName
}

interface Graded {
  /** 0 to 1. */
  readonly score: number
  readonly kind: ScoreKind
  /** Sum of the probabilities of the two labels; null without log-probabilities. */
  readonly mass: number | null
}

interface Judge {
  /** How it reads grades; shown at the start of a run. */
  readonly form: string
  /** Returns the grade, or why there is none: the verdict of the call, or `unreadable`. */
  readonly grade: (call: GradeCall) => Promise<Graded | Dropped>
}

/**
 * Returns the judge of a stage. The pinned capabilities decide the form of its requests: the judge's turn opened with 【,
 * and one token at temperature 0 with log-probabilities; or a reply with the written word.
 */
export function judgeOf(model: Model, options: JudgeOptions, template: Template): Judge {
  const prefilled = readsLogprobs(options.method, template.kind, model.capabilities)

  function request(fields: PromptFields) {
    const pieces = template.render(fields)
    if (!prefilled) return { ...pieces, sampling: samplingOf(kunSampling, template.sampling, options.sampling) }
    const opened = prefillScore(pieces)
    const topLogprobs = model.capabilities.topLogprobs ?? topLogprobsMax
    const logprobs = pieces.kind === 'chat' ? { logprobs: true, top_logprobs: topLogprobs } : { logprobs: topLogprobs }
    // The template's stop texts and the recipe's sampling apply to the written form only.
    return { ...opened.pieces, sampling: { ...oneToken, ...logprobs, ...opened.sampling } }
  }

  return {
    form: prefilled
      ? 'scores from the probabilities of 好 and 差'
      : 'scores 1 or 0 by the published rule, 【好】 or 【差】',
    grade: async ({ fields, unreadable: drop, ...call }) => {
      const fault = prefilled ? scoreFault : options.method === 'published' ? writtenGradeFault : verdictFault
      const answer = await model.ask({ ...call, request: request(fields), fault })
      if ('verdict' in answer) return { drop: answer.verdict.reason, detail: answer.verdict.detail }
      const { score, kind, mass, readable } =
        options.method === 'published' ? gradeAsPublished(answer.reply) : gradeOf(answer.reply, prefilled)
      if (mass !== null && mass < options.massAtLeast) return { drop, detail: `mass ${mass} < ${options.massAtLeast}` }
      if (readable) return { score, kind, mass }
      return { drop, detail: `no verdict 好 or 差: ${shortened(answer.reply.text, repliedCharsMax)}` }
    },
  }
}

function gradeAsPublished({ text }: Reply): Grade {
  return { kind: 'rule', mass: null, ...publishedGrade(text) }
}

/** Characters of a judge's reply that a reject shows. */
const repliedCharsMax = 60

const oneToken = { temperature: 0, top_p: 1, repetition_penalty: 1, max_tokens: 1 } as const

/** 'auto' needs log-probabilities and, in a chat, a server that continues an opened message. */
function readsLogprobs(
  method: ScoreOptions['method'],
  kind: 'chat' | 'completion',
  { logprobs, continues }: Capabilities,
): boolean {
  if (method !== 'auto') return method === 'logprob'
  return logprobs && (kind === 'completion' || continues)
}
