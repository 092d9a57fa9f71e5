/** Tokens of chunks: families of tokenizers, and weights fitted to a server. */
export const tokens = {
  'tokenWeights in run.json of {0} are not valid': '{0} 的 run.json 中的 tokenWeights 无效',
  'prepare.chunk.tokensOf is server, but no server of {0} has /tokenize. Give the family of its tokenizer':
    'prepare.chunk.tokensOf 为 server，但 {0} 的服务器都没有 /tokenize。请给出其分词器的系列',
  'tokens of {0}: too few full chunks to count ({1}); limits of an unknown family':
    '{0} 的 token：可计数的完整片段太少（{1}），使用未知系列的上限',
  'tokens of {0}: {1} for each estimated token, at most {2} in 99 of 100 chunks ({3} counted by its server)':
    '{0} 的 token：每个估算 token 对应 {1} 个，99% 的片段不超过 {2} 个（由其服务器对{3}计数）',
  'chunk.tokensOf: server applies to a run only; give the family of the tokenizer':
    'chunk.tokensOf: server 只适用于运行；请给出分词器的系列',
  'chunks: {0} matches no known family of tokenizers, and gets the limits of Yi; set prepare.chunk.tokensOf to a family, or to server':
    '片段：{0} 不属于任何已知的分词器系列，按 Yi 的上限切分；请将 prepare.chunk.tokensOf 设为某个系列，或设为 server',
  'chunks: limits are fitted to /tokenize of {0} when the run starts': '片段：上限在运行开始时按 {0} 的 /tokenize 拟合',
} as const
