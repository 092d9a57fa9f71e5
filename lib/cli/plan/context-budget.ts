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

interface RequestForm {
  readonly template: Template
  readonly sampling: Readonly<Record<string, unknown>>
  /** Whether the request has the text of the record, and the answer of a pair. */
  readonly ofText: boolean
  readonly ofAnswer: boolean
}

/** The model only reads the prompt. */
const readOnly = { max_tokens: 1 }

function requestOf(
  { column, kind }: PlannedStage,
  { perplexity, screen, label, score, polish, pair, ifd }: KunOptions,
) {
  if (column !== null) {
    const { text } = column.prompt
    const template = templateOf(column.prompt)
    return { template, sampling: column.sampling, ofText: text.includes('{text}'), ofAnswer: text.includes('{output}') }
  }
  const form = (template: Template, { sampling }: Pick<RequestForm, 'sampling'>, ofText = true, ofAnswer = false) =>
    ({ template, sampling, ofText, ofAnswer }) satisfies RequestForm
  if (kind === 'perplexity' && perplexity) return form(templateOf('plain'), { sampling: readOnly })
  if (kind === 'screen' && screen) return form(templateOf(screen.prompt), screen)
  if (kind === 'score' && score) return form(templateOf(score.prompt), score, false)
  if (kind === 'polish' && polish) return form(polishTemplate(polish), polish, polish.mode !== 'distil')
  if (kind === 'pair' && pair) return form(templateOf(pair.promptFollows), pair, true, true)
  if (kind === 'ifd' && ifd) return form(templateOf(ifd.prompt), { sampling: readOnly }, false, true)
  return form(templateOf(label.prompt), label)
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
