/** Tokens of the longest request of each stage, estimated: prompt, chunk and reply together must fit into the context. */
import type { KunOptions } from '../../kun/options.js'
import { type PlannedStage, plannedStages } from '../../kun/planned-stages.js'
import { polishTemplate } from '../../kun/polish.js'
import { type Template, templateOf } from '../../kun/prompts.js'
import type { Recipe } from '../../recipe/index.js'
import { estimateTokens } from '../../text/tokens.js'

export interface StageBudget {
  readonly stage: string
  /** The recipe's name for its model. */
  readonly model: string
  /** Of the prompt without the text of a record. */
  readonly promptTokens: number
  /** Of the record: the longest chunk, and what earlier stages added. */
  readonly recordTokens: number
  /** `max_tokens` of the request. */
  readonly replyTokens: number
}

/** Tokens of an instruction, at most about. */
const instructionTokens = 150
/** Chat template: roles and marks of turns. */
const templateTokens = 30
/** `max_tokens` of a stage that sets none. */
const replyTokensDefault = 1024

/** Returns the budget of every model stage, in order. */
export function stageBudgets({ kun, prepare }: Recipe): StageBudget[] {
  const chunk = prepare.chunk.tokensMax
  return plannedStages(kun).map((stage) => {
    const { template, sampling, ofText, ofAnswer } = requestOf(stage, kun)
    const given = Number(sampling.max_tokens ?? replyTokensDefault)
    const replyTokens = Number.isFinite(given) ? given : replyTokensDefault
    return {
      stage: stage.name,
      model: stage.model,
      promptTokens: emptyPromptTokens(template) + templateTokens,
      recordTokens: (ofText ? chunk : 0) + (stage.ofChunks ? 0 : instructionTokens) + (ofAnswer ? chunk : 0),
      replyTokens:
        stage.kind === 'score' || stage.kind === 'screen' || stage.kind === 'pair'
          ? Math.min(replyTokens, 64)
          : replyTokens,
    }
  })
}

function requestOf(stage: PlannedStage, kun: KunOptions) {
  const { column, kind } = stage
  if (column !== null) {
    const { text } = column.prompt
    const template = templateOf(column.prompt)
    return { template, sampling: column.sampling, ofText: text.includes('{text}'), ofAnswer: text.includes('{output}') }
  }
  const options = kun[kind as 'label'] as KunOptions['label']
  const template = templateOfStage(kind, kun)
  const ofText = kind !== 'score' && !(kind === 'polish' && kun.polish?.mode === 'distil')
  return { template, sampling: options.sampling, ofText, ofAnswer: kind === 'pair' }
}

function templateOfStage(kind: PlannedStage['kind'], kun: KunOptions): Template {
  const { label, screen, score, polish, pair } = kun
  if (kind === 'screen' && screen) return templateOf(screen.prompt)
  if (kind === 'score' && score) return templateOf(score.prompt)
  if (kind === 'polish' && polish) return polishTemplate(polish)
  return kind === 'pair' && pair ? templateOf(pair.promptFollows) : templateOf(label.prompt)
}

function emptyPromptTokens(template: Template): number {
  const { prompt = '', messages = [] } = template.render({
    text: '',
    instruction: '',
    title: '',
    heading: '',
    output: '',
  })
  return estimateTokens([prompt, ...messages.map(({ content }) => content)].join('\n'))
}
