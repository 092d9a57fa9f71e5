/**
 * Chinese of what messages count; singular and plural are one word. The keys have the place of the number, since a heading
 * of the same English word has another translation: 'candidates' is 候选, '3 candidates' 3 个候选.
 */
const names = {
  array: ['arrays', '个数组'],
  attempt: ['attempts', '次尝试'],
  block: ['blocks', '个块'],
  byte: ['bytes', '字节'],
  candidate: ['candidates', '个候选'],
  chunk: ['chunks', '个片段'],
  column: ['columns', '列'],
  cut: ['cuts', '个提交批次'],
  document: ['documents', '篇文档'],
  element: ['elements', '个元素'],
  error: ['errors', '个错误'],
  file: ['files', '个文件'],
  GPU: ['GPUs', '块 GPU'],
  line: ['lines', '行'],
  pair: ['pairs', '对'],
  record: ['records', '条记录'],
  reject: ['rejects', '条拒绝记录'],
  reply: ['replies', '条回复'],
  request: ['requests', '次请求'],
  row: ['rows', '行'],
  second: ['seconds', '秒'],
  server: ['servers', '台服务器'],
  shard: ['shards', '个分片'],
  thread: ['threads', '个线程'],
  time: ['times', '次'],
  token: ['tokens', '个词元'],
  try: ['tries', '次尝试'],
  unit: ['units', '个单元'],
} as const

export const nouns: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(names).flatMap(([one, [many, chinese]]) => [
    [`{0} ${one}`, `{0} ${chinese}`],
    [`{0} ${many}`, `{0} ${chinese}`],
  ]),
)
