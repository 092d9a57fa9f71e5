/** Messages of trials and of looking into a run: `run --sample`, `tail`, `preview`, `explain`. */
export const trial = {
  'show the latest pairs of a run, also those not committed yet': '显示运行最新的指令对，包括尚未提交的',
  'pairs to show': '显示的对数',
  'show each further pair, until the run ends': '持续显示新的指令对，直到运行结束',
  'no run is in progress in {0}: waiting for one; Ctrl-C ends this':
    '{0} 中没有正在进行的运行：等待其开始；按 Ctrl-C 结束',
  'the run in {0} has ended': '{0} 中的运行已结束',
  '{0} has no rejects': '{0} 没有拒绝记录',
  '{0} has no pairs; see why with --rejects': '{0} 没有指令对；用 --rejects 查看原因',
  'nothing is finished yet; the run is in progress: kun-stream status {0}, or tail with -f':
    '尚无完成的记录；运行正在进行：kun-stream status {0}，或加 -f 跟踪',
  '{0} · not committed yet': '{0} · 尚未提交',
  '{0} of {1} finished pairs that are not committed yet: the next cut commits them':
    '已完成但尚未提交的指令对，显示 {0} / {1}：下一个提交批次将提交它们',
  'cannot write {0}: {1}': '无法写入 {0}：{1}',
  'Not committed yet: {0} and {1}; see them with {2} tail {3}': '尚未提交：{0}、{1}；用 {2} tail {3} 查看',
  'No run is in progress. The last one ended at the end of its input, {0} ago.':
    '没有正在进行的运行。上一次在 {0} 前处理完全部输入。',
  'No run is in progress. The last one ended at limits.rowsMax, {0} ago.':
    '没有正在进行的运行。上一次在 {0} 前达到 limits.rowsMax 而结束。',
  'No run is in progress. The last one was killed, {0} ago; run it again to resume.':
    '没有正在进行的运行。上一次在 {0} 前被强制终止；再次运行即可续跑。',
  'No run is in progress. The last one was stopped by {0}, {1} ago; run it again to resume.':
    '没有正在进行的运行。上一次在 {1} 前因 {0} 停止；再次运行即可续跑。',
  '{0} MB peak memory': '内存峰值 {0} MB',
  'no requests were needed, {0}': '无需请求，{0}',
  '{0} holds a run that is not a sample: move it elsewhere, or give another --out':
    '{0} 中的运行不是试运行：请移走，或用 --out 指定其他目录',
  'standard input can be read only once: --sample needs files': '标准输入只能读取一次：--sample 需要文件',
  'sampling {0} of {1}': '从 {1}中抽取 {0}',
  '{0}: {1} and {2} in {3} s, {4}': '{0}：{1}、{2}，用时 {3} 秒，{4}',
  'Kept in {0}. This run uses the replies and does not send these requests again:':
    '保存在 {0}。下面的运行会使用其中的回复，不再发送这些请求：',
  'first try a few records, spread over all shards': '先试若干条记录，均匀取自所有分片',
  '--sample cannot be combined with --fresh, --from-mirror, --through, --ui or --metrics':
    '--sample 不能与 --fresh、--from-mirror、--through、--ui 或 --metrics 同时使用',
  'using the replies of {0}, a sample of {1}': '使用 {0} 的回复（试运行，{1}）',
  'show what would be sent for a record, stage by stage; sends nothing':
    '逐阶段显示一条记录将发送的内容；不发送任何请求',
  'number of the record in input order': '记录在输入中的序号',
  'the record at this place, as inspect and tail show it': '位于此处的记录，写法同 inspect 和 tail 所示',
  '--at {0}: no shard has this name; give SHARD:OFFSET as inspect shows them':
    '--at {0}：没有该名称的分片；请按 inspect 所示给出 SHARD:OFFSET',
  '--record {0}: the input has fewer records': '--record {0}：输入的记录不足此数',
  '--at {0}: no record begins there': '--at {0}：该处没有记录开始',
  'Nothing was sent: later prompts have placeholders where a reply will be.':
    '未发送任何请求：后续提示词中的回复处为占位文字。',
  'show how a record became a row or a reject, with every request and reply':
    '显示一条记录如何成为数据行或拒绝记录，包括每次请求和回复',
  'id of a row or reject, or SHARD:OFFSET of its record': '数据行或拒绝记录的 id，或其记录的 SHARD:OFFSET',
  '{0} has no row or reject with the id {1}: give an id of kun-stream inspect or tail, or SHARD:OFFSET':
    '{0} 中没有 id 为 {1} 的数据行或拒绝记录：请给出 kun-stream inspect 或 tail 显示的 id，或 SHARD:OFFSET',
  '{0} is not among the shards of the recipe any more': '{0} 已不在配方的分片之中',
  '{0} has no record at {1}: was the file changed?': '{0} 在 {1} 处没有记录：文件是否被改动？',
  'Not committed yet: the dataset has no row or reject of it.': '尚未提交：数据集中还没有它的数据行或拒绝记录。',
  'In the dataset, cut {0}:': '在数据集中，提交批次 {0}：',
  '  row {0}': '  数据行 {0}',
  '  reject {0}': '  拒绝记录 {0}',
  'record {0}:{1} of split {2}': '记录 {0}:{1}，数据划分 {2}',
  'cut by the cleaning: {0}': '清洗时删去：{0}',
  'the record was rejected: {0}/{1}': '记录被拒绝：{0}/{1}',
  'chunk {0} was rejected: {1}/{2}': '片段 {0} 被拒绝：{1}/{2}',
  'chunk {0}, {1}, id {2}': '片段 {0}，{1}，id {2}',
  '  no request: the stage decides without a model': '  没有请求：该阶段不经模型即可决定',
  '  the run has no reply to it: it was not requested yet, or its replies are not kept':
    '  运行中没有它的回复：尚未请求，或回复未保留',
  '  dropped as {0}': '  被丢弃：{0}',
  '  kept': '  保留',
  '  instruction': '  指令',
  '  output': '  输出',
  '  request': '  请求',
  '  request, attempt {0}': '  请求，第 {0} 次尝试',
  '  reply, {0}, ended by {1}': '  回复，{0}，结束原因 {1}',
  '  not used: {0}': '  未采用：{0}',
  '… {0} more; --full shows them': '… 还有 {0}；--full 显示全部',
} as const
