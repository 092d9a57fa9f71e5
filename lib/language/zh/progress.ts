/** Progress of a run on the terminal. */
export const progress = {
  '{0} % done': '已完成 {0} %',
  'about {0} to go': '约剩 {0}',
  'estimating the time left': '正在估算剩余时间',
  'nothing finished for a minute': '一分钟内没有任何完成',
  '{0} of about {1}': '{0}（预计约 {1}）',
  'bottleneck: {0}': '瓶颈：{0}',
  'model servers': '模型服务器',
  '{0}/s read': '读取 {0}/秒',
  '{0} committed': '已提交 {0}',
  '{0} calls waiting': '{0} 次调用等待中',
  '{0} retries': '重试 {0} 次',
  'last pair: {0} → {1}': '最新一对：{0} → {1}',
  '{0}: down, retrying': '{0}：不可用，正在重试',
  '{0}: {1} of {2} requests in flight': '{0}：{1}/{2} 个请求在途',
  '{0}: {1} of {2} requests in flight, {3} running, {4} waiting, KV cache {5} %':
    '{0}：{1}/{2} 个请求在途，运行 {3}，排队 {4}，KV 缓存 {5} %',
  '{0} {1}/s': '{0} {1}/秒',
  'metrics: {0}': '指标：{0}',
  'the port is in use': '端口已被占用',
  '--metrics cannot listen on {0}:{1}: {2}. Give another port: --metrics={3}':
    '--metrics 无法监听 {0}:{1}：{2}。请换一个端口：--metrics={3}',
  'Give a port from 0 to 65535, as in --metrics=9464, or put --metrics after the recipe.':
    '请给出 0 到 65535 之间的端口，例如 --metrics=9464，或把 --metrics 放在配方之后。',
  'serve Prometheus metrics on 127.0.0.1; port 9464 by default, 0 takes a free one':
    '在 127.0.0.1 上提供 Prometheus 指标；默认端口 9464，0 表示任选空闲端口',
  'print one JSON object at the end in place of the summary': '结束时输出一个 JSON 对象，代替摘要',
  'print the summary as one JSON object, the last line of standard error':
    '把摘要输出为一个 JSON 对象，即标准错误的最后一行',
  'print one JSON object; with --watch a line each time': '输出一个 JSON 对象；与 --watch 合用时每次一行',
  'print the progress until the run ends': '持续显示进度，直到运行结束',
  '{0}: the run is starting': '{0}：运行正在启动',
  stage: '阶段',
  in: '输入',
  out: '输出',
  rate: '速率',
  active: '进行中',
  'waiting for': '等待',
  source: '数据源',
  'a later stage': '后续阶段',
  'an earlier record': '前面的记录',
}
