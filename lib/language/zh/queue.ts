/** The queue: its address, its connection, workers, units that were set aside. */
export const queue = {
  'the queue {0} refused the connection: {1}; check user, password, ACL and certificate':
    '队列 {0} 拒绝连接：{1}；请检查用户、密码、ACL 和证书',
  'the queue {0} cannot be reached: {1}': '无法连接队列 {0}：{1}',
  'a queue needs the packages bullmq and ioredis, which are not installed: run npm install bullmq ioredis (with -g if kun-stream was installed with it)':
    '队列需要 bullmq 和 ioredis 这两个包，但尚未安装：请运行 npm install bullmq ioredis（若 kun-stream 是用 -g 安装的，也加上 -g）',
  '--queue-ca requires an address that begins with rediss://': '--queue-ca 要求地址以 rediss:// 开头',
  '--queue: the environment variable {0} is not set': '--queue：环境变量 {0} 未设置',
  '{0} is not the address of a queue: expected redis://[user:password@]host[:port][/database], rediss://… for TLS, or env:NAME':
    '{0} 不是队列地址：应为 redis://[用户:密码@]主机[:端口][/数据库]，TLS 用 rediss://…，或 env:NAME',
  '--queue-ca: cannot read {0}: {1}': '--queue-ca：无法读取 {0}：{1}',
  'another worker has finished unit {0}': '另一个 worker 已完成单元 {0}',
  '{0} set aside after repeated failures: {1} and others; every other unit is done. List them with kun-stream units ls':
    '{0}因多次失败被搁置：{1} 等；其余单元均已完成。用 kun-stream units ls 列出它们',
  '{0} set aside after repeated failures: {1}; every other unit is done. List them with kun-stream units ls':
    '{0}因多次失败被搁置：{1}；其余单元均已完成。用 kun-stream units ls 列出它们',
  // Options
  'must be a duration such as 30s or 5min.': '必须是时长，例如 30s 或 5min。',
  'this command requires --queue: the address of the queue': '此命令需要 --queue：队列的地址',
  '--queue-name: {0} has other characters than letters, digits, . _ -':
    '--queue-name：{0} 含有字母、数字、. _ - 以外的字符',
  'the queue can be reached again': '队列已恢复连接',
  '{0}; trying again': '{0}；正在重试',
  '{0} has no units: run kun-stream prepare first': '{0} 中没有单元：请先运行 kun-stream prepare',
  'Redis or Valkey: redis://host:6379, rediss:// for TLS, or env:NAME':
    'Redis 或 Valkey：redis://主机:6379，TLS 用 rediss://，或 env:NAME',
  'certificate authorities in PEM, for rediss://': '证书颁发机构（PEM 文件），用于 rediss://',
  'name of the queue; by default one of the run': '队列名称；默认由运行得出',
  'run that was prepared: a directory, or s3://bucket/prefix': '已 prepare 的运行：目录，或 s3://bucket/prefix',
  // enqueue
  'fill the queue of a prepared run from its plan and results; can be repeated':
    '根据计划和结果填充已 prepare 的运行的队列；可重复执行',
  'continue until prepare has planned the last unit': '持续填充，直到 prepare 规划完最后一个单元',
  '{0}: {1} in the queue, {2} of {3} done': '{0}：队列中有 {1}，{3} 个单元中已完成 {2} 个',
  '{0} set aside after repeated failures: kun-stream units ls': '{0}因多次失败被搁置：kun-stream units ls',
  'prepare has not planned all units yet: run enqueue again, or with --follow':
    'prepare 尚未规划完所有单元：请再次运行 enqueue，或加上 --follow',
  // worker
  'take units of a prepared run from a queue until every unit is done':
    '从队列领取已 prepare 的运行的单元，直到全部完成',
  'a unit whose worker is silent for longer is lost; 60s by default': 'worker 超过此时长无响应即视为丢失；默认 60s',
  'interval of the search for lost units; 30s by default': '查找丢失单元的间隔；默认 30s',
  'set a unit aside that lost so many workers; 3 by default': '一个单元丢失这么多 worker 后被搁置；默认 3',
  'near the end, try units twice that take longer; 60s': '接近结束时，耗时超过此值的单元再派发一次；60s',
  'longest time without a queue; 10min by default': '无法连接队列的最长时间；默认 10min',
  'print one JSON object at the end': '结束时输出一个 JSON 对象',
  'worker of {0}: takes units from {1}': '{0} 的 worker：从 {1} 领取单元',
  'every unit is done; {0} by this worker\n': '所有单元均已完成；其中 {0}由此 worker 完成\n',
  'unit {0}: done in {1} s': '单元 {0}：已完成，用时 {1} 秒',
  "unit {0}: another worker's result counts, {1} s": '单元 {0}：以另一个 worker 的结果为准，用时 {1} 秒',
  // units
  'list, retry, bisect or skip units of a prepared run': '列出、重试、二分排查或跳过已 prepare 的运行的单元',
  'list units that are in hand or failed, and how many there are of each state':
    '列出处理中或失败的单元，以及各状态的数量',
  'list every unit': '列出所有单元',
  'print one JSON object per line, for every unit': '每个单元输出一行 JSON 对象',
  'put units that were set aside back in the queue, before all others': '把被搁置的单元放回队列最前面',
  'id of the unit, as units ls prints it': '单元的 id，见 units ls 的输出',
  'ids; with --all: every unit that was set aside': 'id；加 --all 表示所有被搁置的单元',
  'every unit that was set aside': '所有被搁置的单元',
  'find the records that make a unit fail, by attempts at parts of it, and reject them':
    '通过尝试单元的各部分找出导致失败的记录，并拒绝这些记录',
  'an attempt that takes longer has failed': '超过此时长的尝试视为失败',
  'decide nothing if there are more bad records': '若坏记录超过此数，则不作任何决定',
  'reject every record of a unit, with the reason unit-poison': '拒绝单元的所有记录，原因为 unit-poison',
  'make an attempt at some records of a unit, without a result': '尝试单元中的部分记录，不产生结果',
  'JSON array of their ids': '其 id 的 JSON 数组',
  done: '已完成',
  'in hand': '处理中',
  waiting: '等待中',
  open: '未入队',
  failed: '失败',
  'set aside': '被搁置',
  'for {0}': '已 {0}',
  'give the ids of units, or --all for every unit that was set aside': '请给出单元 id，或用 --all 表示所有被搁置的单元',
  '{0} put back in the queue, before all others': '{0}已放回队列最前面',
  '{0} left alone: done, or in the hand of a worker': '{0}未变动：已完成，或正由 worker 处理',
  '{0}: {1} will be rejected with the reason unit-poison': '{0}：{1}将被拒绝，原因为 unit-poison',
  'record {0} will be rejected with the reason unit-poison': '记录 {0} 将被拒绝，原因为 unit-poison',
  '{0}: fails, {1}': '{0}：失败，{1}',
  '{0}: passes': '{0}：通过',
  '{0}: an attempt at all its records succeeded; nothing was decided': '{0}：对其全部记录的尝试成功；未作任何决定',
  '{0}: more than {1} records fail alone. Nothing was decided: check this machine and the servers, or give a larger --max':
    '{0}：单独失败的记录超过 {1} 条。未作任何决定：请检查本机和服务器，或增大 --max',
  '{0}: its records fail only together. Nothing was decided: give workers more memory, or reject the unit with units skip':
    '{0}：其记录只在一起时失败。未作任何决定：请给 worker 更多内存，或用 units skip 拒绝该单元',
  'unit {0} has a result already': '单元 {0} 已有结果',
  'unit {0} is not in the plan of {1}: list units with kun-stream units ls --all':
    '单元 {0} 不在 {1} 的计划中：用 kun-stream units ls --all 列出单元',
  '{0} is back in the queue, before all others': '{0} 已放回队列最前面',
  'Generate it with: {0}': '用以下命令生成：{0}',
  'no end within {0} s': '{0} 秒内未结束',
  'ended by {0}': '被 {0} 终止',
  'the attempt could not be made: {0}': '无法进行尝试：{0}',
  'exit code {0}: {1}': '退出码 {0}：{1}',
} as const
