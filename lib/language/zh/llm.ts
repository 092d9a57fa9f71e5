/** Messages of lib/llm. */
export const llm = {
  '{0} lacks {1}, which this run was started with. Use another endpoint':
    '{0} 缺少 {1}，而此运行开始时具备。请使用另一个端点',
  'the capabilities in run.json are not valid: {0}': 'run.json 中的服务器能力无效：{0}',
  '{0} does not stream replies: {1}. Set stream: false': '{0} 不支持流式回复：{1}。请设置 stream: false',
  '{0} sent no reply: {1}': '{0} 没有返回回复：{1}',
  '{0}. It serves {1}': '{0}。它提供的模型有 {1}',
  "{0} answers neither {1} nor {2} for model '{3}' ({4}): {5}. The address has no /v1: write {6}/v1":
    "{0} 对模型 '{3}' 既不响应 {1} 也不响应 {2}（{4}）：{5}。地址缺少 /v1：请写 {6}/v1",
  "{0} answers neither {1} nor {2} for model '{3}' ({4}): {5}. Check the model's name, the address and the key":
    '{0} 对模型“{3}”的 {1} 和 {2} 都没有应答（{4}）：{5}。请检查模型名、地址和密钥',
  'no response from {0} ({1}): {2}': '{0} 没有响应（{1}）：{2}',
  'the reply is not valid JSON: {0}': '回复不是有效的 JSON：{0}',
  'the run drains: no further request is sent': '运行正在收尾：不再发送请求',
  'the model servers were closed': '模型服务器连接已关闭',
  "no endpoint of model '{0}' responds: {1}. Start it, or check the address":
    '模型“{0}”没有端点响应：{1}。请启动它，或检查地址',
  "models '{0}' and '{1}' name {2} with different users or passwords. Give both the same, or use apiKey":
    '模型“{0}”和“{1}”对 {2} 使用了不同的用户名或密码。请写成相同的，或使用 apiKey',
  'the model server refuses the account ({0}); settle it and run again to resume':
    '模型服务器拒绝了账户（{0}）；请处理后再次运行以续跑',
  'no model server responded for {0}: {1}{2}. Start it and run again to resume':
    '{0} 内没有模型服务器响应：{1}{2}。请启动服务器后再次运行以续跑',
  'the model servers failed every request for {0}: {1}{2}. Repair them and run again to resume':
    '模型服务器在 {0} 内所有请求都失败：{1}{2}。请修复后再次运行以续跑',
  '{0}:{1}: found {2}; write a URL such as http://host:8000/v1 on each line':
    '{0}:{1}：内容为 {2}；每行请写一个 URL，例如 http://host:8000/v1',
  '{0} has no address; write one URL a line': '{0} 中没有地址；请每行写一个 URL',
  '{0} has {1} addresses; the limit is {2}': '{0} 中有 {1} 个地址；上限为 {2}',
  '{0} has {1} bytes; the limit is {2}': '{0} 有 {1} 字节；上限为 {2}',
  'cannot read the list of servers {0}: {1}': '无法读取服务器列表 {0}：{1}',
  'no server of the list is ready': '列表中没有服务器就绪',
} as const
