/**
 * How the tokens of a model family compare with the estimate of tokens.ts, so that a chunk fits the budget by the
 * tokenizer of the label model although no tokenizer is loaded.
 */
import { keysOf } from '../core/objects.js'

/**
 * Tokens of each family over the estimate, on 1,183 full chunks (over 384 tokens) of Chinese prose, each counted by the
 * family's own tokenizer. `median` corrects the count of a chunk; `most`, the 99th percentile, limits its length, so that
 * at most 1 chunk in 100 exceeds the budget.
 */
export const tokenFamilies = {
  qwen: { median: 1.02, most: 1.13 },
  yi: { median: 1.08, most: 1.24 },
  llama: { median: 1.23, most: 1.36 },
  deepseek: { median: 0.95, most: 1.09 },
  internlm: { median: 1.01, most: 1.14 },
  baichuan: { median: 0.97, most: 1.11 },
  gemma: { median: 1.08, most: 1.2 },
  glm: { median: 1.02, most: 1.15 },
  /** A model of no known family: the figures of yi, which cover all others but llama. */
  unknown: { median: 1.02, most: 1.24 },
} as const

/** As in `tokenFamilies`, fitted to one model. */
export interface TokenWeights {
  readonly median: number
  readonly most: number
}

export type TokenFamily = keyof typeof tokenFamilies

export const tokenFamilyNames = keysOf(tokenFamilies)

/** Families by a word in a model's name. The first that matches counts: a DeepSeek distillate of Qwen has Qwen's tokenizer. */
const familyNames: readonly (readonly [RegExp, TokenFamily])[] = [
  [/qwen|qwq/i, 'qwen'],
  [/llama/i, 'llama'],
  [/(?:^|[^a-z])yi(?:[^a-z]|$)|kun-labelmodel/i, 'yi'],
  [/deepseek/i, 'deepseek'],
  [/internlm/i, 'internlm'],
  [/baichuan/i, 'baichuan'],
  [/gemma/i, 'gemma'],
  [/glm/i, 'glm'],
]

/** Returns the weights of a family; those of a model unchanged. */
export function weightsOfFamily(family: TokenFamily | TokenWeights): TokenWeights {
  return typeof family === 'string' ? tokenFamilies[family] : family
}

/** Returns the family of a model by its name, such as 'Qwen/Qwen3-8B' or '01-ai/Yi-34B'. */
export function tokenFamilyOf(model: string): TokenFamily {
  return familyNames.find(([pattern]) => pattern.test(model))?.[1] ?? 'unknown'
}
