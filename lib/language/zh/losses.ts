/** Perplexity and instruction-following difficulty. */
export const losses = {
  'kun.{0} needs the log-probabilities of a prompt (echo with logprobs, or prompt_logprobs), which {1} does not give for {2}. Serve the model with vLLM or SGLang, or remove kun.{3}':
    'kun.{0} 需要提示词的对数概率（带 logprobs 的 echo，或 prompt_logprobs），而 {1} 不为 {2} 提供。请用 vLLM 或 SGLang 部署该模型，或去掉 kun.{3}',
} as const
