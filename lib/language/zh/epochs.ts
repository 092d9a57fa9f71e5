/** Messages of dedup in epochs: lib/epochs, `prepare --dedup-parts` and `dedup-part`. */
import type { Catalogue } from '../template.js'

export const epochs: Catalogue = {
  'Remove {0}/ of the store and run `kun-stream prepare` again': '请删除存储中的 {0}/，再次运行 `kun-stream prepare`',
  'waits for prepare, which has not begun in {0}': '等待 prepare：它在 {0} 中尚未开始',
  '{0}/epochs was removed, as it is once every unit is planned': '{0}/epochs 已删除：全部单元计划完成后会删除它',
  'no result of another process for {0} s: start dedup-part for the parts that have no process, then run the same command again':
    '{0} 秒内没有其他进程的结果：请为没有进程的索引部分启动 dedup-part，然后再次运行同一命令',
  'block {0} has other chunks than when it was mapped: the input has changed. Prepare in another directory':
    '块 {0} 的片段与映射时不同：输入已改变。请在另一个目录中准备',
  'the input has more blocks than were mapped: it has changed. Prepare in another directory':
    '输入的块比映射时多：输入已改变。请在另一个目录中准备',
  'the plan of epoch {0} is damaged': '轮次 {0} 的计划已损坏',
  'a chunk has {0} bytes, dedup in epochs takes at most {1}: set chunk.tokensMax, or prepare without --dedup-parts':
    '一个片段有 {0} 字节，分轮次去重最多接受 {1} 字节：请设置 chunk.tokensMax，或不带 --dedup-parts 运行 prepare',
  'its checksum does not match': '校验和不符',
  'no complete text begins there': '该处没有完整的文本',
  '--dedup-parts needs dedup.index: exact. A Bloom index cannot be divided: a hit may come from bits of two documents':
    '--dedup-parts 需要 dedup.index: exact。Bloom 索引无法拆分：一次命中可能来自两篇文档的位',
  '--dedup-parts cannot be used with dedup.against: the documents of earlier runs are in one index':
    '--dedup-parts 不能与 dedup.against 一起使用：早先运行的文档在单个索引中',
  '{0} was begun with --dedup-parts {1} --epoch-rows {2}: use the same':
    '{0} 开始时用的是 --dedup-parts {1} --epoch-rows {2}：请使用相同的值',
  'epoch {0} is mapped: {1}': '轮次 {0} 已映射：{1}',
  'epoch {0}: duplicates are decided': '轮次 {0}：重复已判定',
  'epoch {0}: part {1} was searched': '轮次 {0}：已查找索引的第 {1} 部分',
  '{0} has no epochs: start `prepare RECIPE --out {1} --dedup-parts {2}` first':
    '{0} 中没有轮次：请先启动 `prepare RECIPE --out {1} --dedup-parts {2}`',
  '--part is {0}, {1} has {2} parts: give {3}': '--part 是 {0}，而 {1} 有 {2} 个部分：请给出 {3}',
  '--epoch-rows and --dedup-elsewhere need --dedup-parts': '--epoch-rows 和 --dedup-elsewhere 需要 --dedup-parts',
  '--dedup-wait needs --dedup-elsewhere': '--dedup-wait 需要 --dedup-elsewhere',
  'every duplicate is decided; part {0} was searched for {1} epochs':
    '重复已全部判定；索引的第 {0} 部分在 {1} 个轮次中被查找',
  'hold a part of the index of duplicates for `prepare --dedup-elsewhere`: docs/scale.md':
    '为 `prepare --dedup-elsewhere` 保存去重索引的一部分：docs/scale.md',
  'decide duplicates in epochs, with an index in parts: docs/scale.md':
    '分轮次判定重复，索引分为若干部分：docs/scale.md',
  'chunks of an epoch; 4000000 by default': '每个轮次的片段数；默认 4000000',
  'leave the parts of the index to dedup-part processes': '索引的各部分交给 dedup-part 进程',
  'longest wait for such a process; 1h by default': '等待此类进程的最长时间；默认 1h',
  'directory or s3://bucket/prefix that prepare --dedup-parts writes':
    'prepare --dedup-parts 写入的目录或 s3://bucket/prefix',
  'the k-th of the n parts of the index, from 1: 3/8': '索引 n 个部分中的第 k 个，从 1 开始：3/8',
  'longest wait for another process; 1h by default': '等待其他进程的最长时间；默认 1h',
}
