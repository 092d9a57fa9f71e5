/** Reads the context length from server responses: each server names it differently. Pure. */

type Json = Record<string, unknown>

/** Plausible context lengths, tokens: other numbers mean something else. */
const contextTokensMin = 16
const contextTokensMax = 100_000_000

/**
 * Returns the context length in tokens, or null if no response has it.
 *
 * @param entry of `/v1/models`: vLLM's `max_model_len`, llama.cpp's `meta.n_ctx`, LM Studio's `loaded_context_length`
 * @param props llama.cpp's `/props`
 * @param info TGI's `/info`
 * @param modelInfo SGLang's `/get_model_info`
 */
export function contextTokensOf(entry: Json, props: Json, info: Json, modelInfo: Json): number | null {
  const candidates = [
    entry.max_model_len,
    entry.loaded_context_length,
    asJson(entry.meta).n_ctx,
    entry.context_length,
    entry.max_context_length,
    asJson(props.default_generation_settings).n_ctx,
    props.n_ctx,
    info.max_total_tokens,
    info.max_input_tokens,
    modelInfo.max_model_len,
    modelInfo.context_length,
  ]
  const known = candidates.find(
    (each) => typeof each === 'number' && each >= contextTokensMin && each <= contextTokensMax,
  )
  return typeof known === 'number' ? known : null
}

function asJson(value: unknown): Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Json) : {}
}
