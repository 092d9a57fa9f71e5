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
  'sampling {0} of {1}': '抽取 {0}，共 {1}',
  '{0}: {1} and {2} in {3} s, {4}': '{0}：{1}、{2}，用时 {3} 秒，{4}',
  'Kept in {0}. This run uses the replies and does not send these requests again:':
    '保存在 {0}。下面的运行会使用其中的回复，不再发送这些请求：',
  'first try a few records, spread over all shards': '先试若干条记录，均匀取自所有分片',
  '--sample cannot be combined with --fresh, --from-mirror, --through or --ui':
    '--sample 不能与 --fresh、--from-mirror、--through 或 --ui 同时使用',
  'using the replies of {0}, a sample of {1}': '使用 {0} 的回复（试运行，{1}）',
} as const
