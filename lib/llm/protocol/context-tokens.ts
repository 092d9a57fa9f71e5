/** Reads the context length from server responses: each server names it differently. Pure. */
import { asObject } from './json.js'
import type { DescribedServer } from './server-names.js'

/** Plausible context lengths, tokens: other numbers mean something else. */
const contextTokensMin = 16
const contextTokensMax = 100_000_000

/**
 * Returns the context length in tokens, or null if no response has it.
 *
 * Fields of the model's entry: `max_model_len` (vLLM), `meta.n_ctx` (llama.cpp), `loaded_context_length` (LM Studio).
 */
export function contextTokensOf({ entry, props, info, modelInfo }: Omit<DescribedServer, 'version'>): number | null {
  const candidates: readonly unknown[] = [
    entry.max_model_len,
    entry.loaded_context_length,
    asObject(entry.meta).n_ctx,
    entry.context_length,
    entry.max_context_length,
    asObject(props.default_generation_settings).n_ctx,
    props.n_ctx,
    info.max_total_tokens,
    info.max_input_tokens,
    modelInfo.max_model_len,
    modelInfo.context_length,
  ]
  return candidates.find(isContextLength) ?? null
}

function isContextLength(value: unknown): value is number {
  return typeof value === 'number' && value >= contextTokensMin && value <= contextTokensMax
}
