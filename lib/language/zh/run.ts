/** Messages of lib/run. */
export const run = {
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
  '{0} holds a run over other shards; rows of both cannot be mixed:\n {1}\nAlternatively, use another directory, or start over with --fresh --force (replies are kept).':
    '{0} 中的运行使用了其他分片；两者的数据行不能混在一起：\n {1}\n也可使用另一个目录，或用 --fresh --force 重新开始（回复会保留）。',
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
} as const
