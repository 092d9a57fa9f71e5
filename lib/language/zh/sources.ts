/** Messages of lib/sources. */
export const sources = {
  'cannot resume: shard {0} was {1} and is now {2}. Use the files that the run started with':
    '无法续跑：第 {0} 个分片原为 {1}，现为 {2}。请使用运行开始时的文件',
  'cannot resume: {0} shards were opened and {1} are listed now': '无法续跑：已打开 {0} 个分片，而现在列出 {1} 个',
  'the thread that reads the shards died: {0}. Start the same run again: it resumes.':
    '读取分片的线程已终止：{0}。请再次启动同一次运行，它会续跑。',
  'reading {0} was stopped': '读取 {0} 已停止',
  'no glob is given: name the files to read in `files`': '没有给出文件模式：请在 `files` 中指明要读取的文件',
  'no file matches {0} in {1}: check the path': '{1} 中没有文件匹配 {0}：请检查路径',
  'no file matches {0} in {1}: check the path, or use a pattern such as {2}':
    '{1} 中没有文件匹配 {0}：请检查路径，或使用通配模式，例如 {2}',
  '{0} cannot be listed: {1} ({2})': '无法列出 {0}：{1}（{2}）',
  '{0} was there when the run listed its files and is gone (ENOENT). Put it back, or run the same command again: a file of which no committed block was read is then removed from the run':
    '{0} 在列出文件时还在，现在不见了（ENOENT）。请放回，或再次运行同一命令：若它没有已提交的块，就会从运行中移除',
  '{0} {1}. Run the same command again once nothing writes to it: what was committed of it is then compared':
    '{0} {1}。请在不再有程序写入它之后再次运行同一命令：届时会与已提交的内容比对',
  "{0}: every file that matches is excluded by a pattern that begins with '!'":
    '{0}：所有匹配的文件都被以“!”开头的模式排除了',
  'none of the files that match {0} can be read ({1} found): {2}: {3}':
    '匹配 {0} 的文件都无法读取（找到 {1} 个）：{2}：{3}',
  'standard input cannot be read again, so this run cannot be resumed: start it over':
    '标准输入无法再次读取，因此此运行不能续跑：请重新开始',
  'Parquet cannot be read from standard input: give the file instead': '不能从标准输入读取 Parquet：请直接给出文件',
  '{0} ({1}) was changed since {2} bytes of it were read: rows of two inputs would be in one dataset. Restore the file, use another directory, or delete this one to start over: `run --fresh --force` keeps the replies.':
    '{0}（{1}）在读取 {2} 字节之后被改动：同一数据集中会混入两种输入的数据行。请恢复该文件、使用另一个目录，或删除它重新开始：`run --fresh --force` 会保留回复。',
  'a source reads one bucket, found {0}: write a source for each, with a name':
    '一个来源只读取一个存储桶，当前有 {0}：请为每个存储桶写一个来源，并加上 name',
  'more than {0} objects match {1}: divide the source': '匹配 {1} 的对象超过 {0} 个：请拆分来源',
  'no object matches s3://{0}/{1} (of {2} listed): check the path, for example s3://bucket/corpus/**/*.jsonl.zst':
    '没有对象匹配 s3://{0}/{1}（共列出 {2} 个）：请检查路径，例如 s3://bucket/corpus/**/*.jsonl.zst',
} as const
