/** Messages of lib/run. */
export const run = {
  'The servers are probed again': '将重新探测服务器',
  'Delete it, or run again: it is created again': '请删除它，或再次运行：它会重新生成',
  '{0}, cut {1}: {2}: {3}. Use the version of kun-stream that wrote it, or run the recipe in another directory with the replies of this one (replies.from)':
    '{0}，批次 {1}：{2}：{3}。请使用写入它的 kun-stream 版本，或在另一个目录用这里的回复（replies.from）运行配方',
  "the stored verdict '{0}' of block {1} is not valid": '块 {1} 已存的判定“{0}”无效',
  '{0} must be 1 or more, got {1}': '{0} 必须不小于 1，得到 {1}',
  'the dedup log is damaged: replaying its blocks gave {0} bytes, {1} were committed: rebuild the dataset from the kept replies':
    '去重日志已损坏：重放各块得到 {0} 字节，已提交的是 {1} 字节：请用保留的回复重建数据集',
  'the sources hold no document: the files are empty or have no records; check `sources`':
    '数据来源中没有文档：文件为空或没有记录；请检查 `sources`',
  '{0}{1}. {2} To run a changed recipe, start over with --fresh --force, which keeps replies; --set brakes.sameEndingRecords=false disables this check':
    '{0}{1}。{2}若要运行修改后的配方，请用 --fresh --force 重新开始（回复会保留）；--set brakes.sameEndingRecords=false 可关闭此检查',
  '{0} holds a run over other shards; rows of both cannot be mixed:\n {1}\nAlternatively, use another directory, or delete this one to start over: `run --fresh --force` keeps the replies.':
    '{0} 中的运行使用了其他分片；两者的数据行不能混在一起：\n {1}\n也可使用另一个目录，或删除它重新开始：`run --fresh --force` 会保留回复。',
  '{0}: {1}: {2}. Use the version of kun-stream that wrote it, or another directory':
    '{0}：{1}：{2}。请使用写入它的 kun-stream 版本，或另一个目录',
  'rowsMax is reached': '已达到 rowsMax',
  'limits.{0} is reached: {1} in this call. Run again to continue for as much, or set a higher limit':
    '已达到 limits.{0}：本次为 {1}。再次运行可继续同样的量，或提高上限',
  "prepare.decontaminate.files: no file matches '{0}'. Check the path: it starts from the working directory, {1}.":
    'prepare.decontaminate.files：没有文件匹配“{0}”。请检查路径：相对于工作目录 {1}。',
  'prepare.decontaminate.files: {0} files, at most {1} are read':
    'prepare.decontaminate.files：{0} 个文件，最多读取 {1} 个',
  'prepare.decontaminate: {0} cannot be read ({1}). Give a CSV, TSV, JSON Lines, JSON or Parquet file.':
    'prepare.decontaminate：无法读取 {0}（{1}）。请给出 CSV、TSV、JSON Lines、JSON 或 Parquet 文件。',
  'prepare.decontaminate: {0} has no text in {1}; its fields are {2}. Name them in prepare.decontaminate.fields.':
    'prepare.decontaminate：{0} 的 {1} 中没有文本；它的字段有 {2}。请在 prepare.decontaminate.fields 中指明。',
  "Stage '{0}': {1} went from {2} at the start to {3} over the last {4} records. Look at the model server; run again to resume. If the change is intended, delete {5} in the run directory first":
    '阶段“{0}”：{1} 从开始时的 {2} 变为最近 {4} 条记录的 {3}。请检查模型服务器；再次运行即可续跑。若这一变化是有意的，请先删除运行目录中的 {5}',
  "polish with mode 'raw' calls no model: leave the stage out": "polish 的 mode 为 'raw' 时不调用模型：请去掉该阶段",
  'column {0}: {1}': '列 {0}：{1}',
  'the run': '本次运行',
  "split '{0}'": '数据划分“{0}”',
  'shard {0}': '分片 {0}',
  "The run has no rows: all {0} records that reached '{1}' {2}": '运行没有数据行：到达“{1}”的 {0} 条记录全部{2}',
  'ended as {0}': '以 {0} 结束',
  'ended without a row, {0} of them as {1}': '没有产出数据行，其中 {0} 条为 {1}',
  'The first {0} records of {1} all {2}': '{1}的前 {0} 条记录全部{2}',
  "The first {0} records of {1} that reached '{2}' all {3}": '{1}到达“{2}”的前 {0} 条记录全部{3}',
  'Name the field of the text in `sources[].text`.': '请在 `sources[].text` 中指明正文字段。',
  'Check the format of the files and the patterns in `sources[].files`.':
    '请检查文件格式和 `sources[].files` 中的匹配模式。',
  'Check the bounds in `prepare.quality` and `prepare.chunk`, and custom filters.':
    '请检查 `prepare.quality` 和 `prepare.chunk` 的界限以及自定义过滤器。',
  'Lower `prepare.chunk.tokensMax`, or serve the model with a longer context.':
    '请降低 `prepare.chunk.tokensMax`，或以更长的上下文部署模型。',
  'Check the judge and `kun.score.keepAtLeast`.': '请检查评判模型和 `kun.score.keepAtLeast`。',
  'Check the bounds in `kun.perplexity` and `kun.ifd`: they depend on the model.':
    '请检查 `kun.perplexity` 和 `kun.ifd` 的界限：它们取决于模型。',
  'Check the bounds in `kun.ifd`.': '请检查 `kun.ifd` 的界限。',
  'Check the judge and `kun.screen.keepAtLeast`.': '请检查评判模型和 `kun.screen.keepAtLeast`。',
  'Check the replies of the model (`simulate` shows a valid one), the prompt and the filter.':
    '请检查模型的回复（`simulate` 会给出有效的回复）、提示词和过滤器。',
  'Check the log of the model server, the prompt and the sampling fields.':
    '请检查模型服务器的日志、提示词和采样参数。',
  'the share of Chinese characters': '汉字占比',
  'the share of replies in the requested format': '符合要求格式的回复占比',
  'the share of records kept': '保留的记录占比',
  'the mean length in characters': '平均字符数',
  '{0} hours': '{0} 小时',
  'cannot read {0}, drift detection starts from scratch: {1}': '无法读取 {0}，漂移检测从头开始：{1}',
  'cannot write {0}, the next call starts drift detection from scratch: {1}':
    '无法写入 {0}，下次调用时漂移检测从头开始：{1}',
  'cannot use {0}, the servers are probed again: {1}': '无法使用 {0}，将重新探测服务器：{1}',
  'the output stream was closed before all was written': '输出流在全部写完之前已关闭',
} as const
