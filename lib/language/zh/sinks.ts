/** Messages of lib/sinks. */
export const sinks = {
  'Restore it from a backup or a mirror, or run the recipe in another directory with the replies of this one (replies.from)':
    '请从备份或镜像恢复，或在另一个目录用这里的回复（replies.from）运行配方',
  '{0} splits and the rejects need up to {1} bytes (rowGroupBytesMax {2} each), but writers have only {3}: lower rowGroupBytesMax or raise the memory':
    '{0} 个数据划分和拒绝记录最多需要 {1} 字节（每个 rowGroupBytesMax 为 {2}），但写入器只有 {3}：请降低 rowGroupBytesMax 或提高内存',
  '{0} has a line that kun-stream did not write: {1}. Restore the file from a backup, or use another directory.':
    '{0} 中有一行不是 kun-stream 写入的：{1}。请从备份恢复该文件，或使用另一个目录。',
  '{0}, line {1}: {2}, which is not the effect of a crash. Restore the file from a backup or a mirror, or run the recipe in another directory with the replies of this one (replies.from).':
    '{0} 第 {1} 行：{2}，这不是崩溃造成的。请从备份或镜像恢复该文件，或在另一个目录用这里的回复（replies.from）运行配方。',
  '{0} was committed with {1} bytes and is missing.': '{0} 提交时为 {1} 字节，现在已缺失。',
  '{0} was committed with {1} bytes and now has another sha256.': '{0} 提交时为 {1} 字节，现在 sha256 不同。',
  '{0} was committed with {1} bytes and now has {2} bytes.': '{0} 提交时为 {1} 字节，现在为 {2} 字节。',
  'Restore it from a backup or a mirror, or rebuild the dataset from the kept replies (kun-stream rebuild). `kun-stream verify {0}` lists all.':
    '请从备份或镜像恢复，或用保留的回复重建数据集（kun-stream rebuild）。`kun-stream verify {0}` 会列出全部。',
  '{0} was committed and was deleted during the run. {1}': '{0} 已提交，但在运行过程中被删除。{1}',
  '{0} parts of this cut, or the lines of {1} about others, were deleted during the run. {2}':
    '本批次的 {0} 个文件，或 {1} 中关于其他批次的行，在运行过程中被删除。{2}',
  '{0} has {1} lines, but {2} belongs to a later cut: lines at its end were lost. Restore the file from a backup or a mirror, or delete the run to start over: `run --fresh --force` keeps the replies.':
    '{0} 有 {1} 行，但 {2} 属于更晚的批次：末尾的行已丢失。请从备份或镜像恢复该文件，或删除该运行重新开始：`run --fresh --force` 会保留回复。',
  '{0} has a manifest but no {1}, so its recipe is unknown. Use another directory.':
    '{0} 有清单但没有 {1}，因此无法得知其配方。请使用另一个目录。',
  '{0} holds a run already. Resume it, use another directory, or add --force to delete it.':
    '{0} 中已有运行。请续跑、使用另一个目录，或加 --force 删除它。',
  '{0} is not a run.json of kun-stream: use another directory': '{0} 不是 kun-stream 的 run.json：请使用另一个目录',
  '{0} holds a run with other settings; rows of both cannot be mixed:\n {1}\nChange them back, use another directory, or delete it to start over: `run --fresh --force` keeps the replies.':
    '{0} 中的运行使用了其他设置；两者的数据行不能混在一起：\n {1}\n请改回设置、使用另一个目录，或删除它重新开始：`run --fresh --force` 会保留回复。',
} as const
