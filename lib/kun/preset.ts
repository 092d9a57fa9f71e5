/**
 * Presets of `kun:` in a recipe: everything that `preset: paper` means is in this file. A preset fills in fields that the
 * recipe does not have, before the recipe is validated; the rest of the code sees options only, and run.json the values.
 *
 * Source of the preset paper: the scripts of COIG-Kun (evaluation/, script/), and the paper (arXiv 2401.06477).
 * What it does differently and why: docs/decisions/paper-preset.md.
 */
import { isRecord } from '../core/objects.js'

export const presetNames = ['default', 'paper'] as const
type PresetName = (typeof presetNames)[number]

/** Published sampling fields of all three calls. Source: COIG-Kun, evaluation/vllm_inference.py and script/infer_*.sh. */
const paperSampling = { temperature: 0.5, top_p: 0.95, repetition_penalty: 1.2, max_tokens: 1024 } as const

/**
 * Sampling fields of the stages. vLLM's repetition_penalty counts the prompt's tokens too: at 1.2 an answer is pushed away from the
 * words, names and figures of its own text. 1.05 is the default of Qwen2.5's generation_config.json.
 */
export const kunSampling = { ...paperSampling, repetition_penalty: 1.05 } as const

/** The published scripts pass no stop texts; a prompt of the recipe keeps its own. */
const withoutStops = { stop: null, stop_token_ids: null } as const

/** Where `kun-stream paper-prompts` writes the prompts of a clone of COIG-Kun, and the preset reads them. */
export const paperPromptsFolder = 'paper-prompts'

/** Files of the prompts, by stage. */
const paperPromptFiles = {
  label: `${paperPromptsFolder}/label.json`,
  score: `${paperPromptsFolder}/score.json`,
  polish: `${paperPromptsFolder}/answer.json`,
} as const

/** Upper bound of a filter that the published scripts do not have. */
const charsUnlimited = 1_000_000

const paper: Stages = {
  label: {
    prompt: 'label-kun',
    kinds: [],
    exams: 'label',
    sampling: paperSampling,
    filter: {
      reading: 'published',
      keywords: '新闻 材料 图片 链接 网址 根据 简历 简介 文章 摘要 文本 提取 关键词 网站'.split(' '),
      charsMin: 1,
      charsMax: charsUnlimited,
      hanShareMin: 0,
      selfContained: false,
    },
    personal: 'keep',
  },
  score: {
    prompt: { file: paperPromptFiles.score },
    sampling: paperSampling,
    method: 'published',
    keepAtLeast: 0.5,
    massAtLeast: 0,
  },
  polish: {
    prompt: { file: paperPromptFiles.polish },
    sampling: paperSampling,
    tokensMax: 512,
    repairInstruction: true,
    filter: {
      reading: 'published',
      keywords: '作为 根据 知识库 2023 抱歉'.split(' '),
      charsMin: 20,
      hanShareMin: 0,
      repetition: true,
    },
    personal: 'keep',
  },
}

/** Fields of stages that have a default of their own in a preset. */
const presets: Readonly<Record<PresetName, Stages>> = {
  default: {
    screen: { sampling: kunSampling },
    label: { sampling: kunSampling },
    score: { sampling: kunSampling },
    polish: { sampling: kunSampling },
    pair: { sampling: kunSampling },
  },
  paper,
}

type Fields = Readonly<Record<string, unknown>>
type Stages = Readonly<Record<string, Fields>>

/**
 * Fills the fields of a preset into `kun:` as it is written in a recipe. Returns values of another form unchanged, for
 * validation. A stage that the recipe does not have is not added.
 */
export function withPreset(kun: unknown): unknown {
  if (!isRecord(kun)) return kun
  const stages = presets[kun.preset === 'paper' ? 'paper' : 'default']
  const filled = Object.entries(kun).map(([stage, given]) => {
    const defaults = Object.hasOwn(stages, stage) ? stages[stage] : undefined
    return [stage, defaults !== undefined && isRecord(given) ? filledStage(given, defaults) : given]
  })
  return Object.fromEntries(filled)
}

function filledStage(given: Fields, defaults: Fields): Fields {
  const stops = defaults.prompt === 'label-kun' && given.prompt === undefined ? withoutStops : {}
  return {
    ...defaults,
    ...given,
    ...merged('sampling', { ...(isRecord(defaults.sampling) && defaults.sampling), ...stops }, given),
    ...(isRecord(defaults.filter) && merged('filter', defaults.filter, given)),
  }
}

function merged(field: string, defaults: Fields, given: Fields): Fields {
  const own = given[field]
  if (own === undefined || own === null) return { [field]: defaults }
  return { [field]: isRecord(own) ? { ...defaults, ...own } : own }
}
