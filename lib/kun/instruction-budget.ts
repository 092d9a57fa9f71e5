/** Cuts an instruction so that it fits into a budget of tokens together with its text. */
import { estimateTokens } from '../text/tokens.js'
import { wellFormed } from './replies/excerpt.js'

/**
 * Tokens that are kept free: the published script counts a fixed English sentence of 61 characters to the text.
 * Source: COIG-Kun, evaluation/common.py; about this many by the tokenizers of Yi and Qwen.
 */
const reservedTokens = 12

/**
 * Returns the longest beginning of an instruction with which the text stays within `tokensMax`; '' if there are no tokens
 * left. Linear in both lengths.
 *
 * The text's own count decides (exact if the recipe names a tokenizer), the estimate of the instruction is corrected by
 * the same factor as the text's.
 */
export function fittingInstruction(
  instruction: string,
  { text, tokens }: { readonly text: string; readonly tokens: number },
  tokensMax: number,
): string {
  const factor = tokens / Math.max(1, estimateTokens(text))
  const left = Math.max(0, tokensMax - tokens - reservedTokens) / Math.max(factor, Number.EPSILON)
  if (estimateTokens(instruction) <= left) return instruction
  // The estimate does not fall with the length: the longest beginning that fits is found by halving.
  let [fits, over] = [0, instruction.length]
  while (over - fits > 1) {
    const middle = (fits + over) >> 1
    if (estimateTokens(instruction.slice(0, middle)) <= left) fits = middle
    else over = middle
  }
  return wellFormed(instruction.slice(0, fits))
}
