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
  'unit was': '个单元',
  'units were': '个单元',
} as const
