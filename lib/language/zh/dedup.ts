/** Messages of lib/dedup. */
export const dedup = {
  'the thread that decides duplicates died: {0}. Start the same run again: it resumes.':
    '判定重复的线程已终止：{0}。请再次启动同一次运行，它会续跑。',
  'a record of {0} bytes in the dedup log is not valid: it was not written by this version of kun-stream. Start over in another directory.':
    '去重日志中一条 {0} 字节的记录无效：它不是由此版本的 kun-stream 写入的。请在另一个目录重新开始。',
  'the system provides no memory for the index of kept documents: allow the process more (12 GiB of address space are reserved, about 400 bytes per document are used), or start over with dedup.index: bloom.':
    '系统无法为保留文档的索引提供内存：请给进程更多内存（预留 12 GiB 地址空间，每篇文档约用 400 字节），或用 dedup.index: bloom 重新开始。',
  'dedup.against: {0} is damaged at byte {1}, so documents of that run would be unknown. Resume that run, which repairs it from its input, or remove the entry.':
    'dedup.against：{0} 在第 {1} 字节处损坏，因此无法得知那次运行的文档。请续跑那次运行（它会从输入修复），或删除此项。',
  'dedup.against: {0} was made with near.{1} {2}, this run has {3}: use the same, or remove the entry.':
    'dedup.against：{0} 生成时 near.{1} 为 {2}，本次运行为 {3}：请使用相同的值，或删除此项。',
  'dedup.against: {0} has no {1}: give the directory of a run that removed duplicates, or its index file':
    'dedup.against：{0} 中没有 {1}：请给出做过去重的运行目录，或其索引文件',
} as const
