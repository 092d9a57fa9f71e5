/** Messages of lib/hub. */
export const hub = {
  '{0} failed with {1}: retrying in {2}, try {3} of {4}': '{0} 失败（{1}）：{2} 后重试，第 {3} 次，最多 {4} 次',
  'warning: --token contains the token itself, which stays in the shell history and in the process list: use --token env:NAME or --token file:PATH, and replace this token':
    '警告：--token 直接写了 token 本身，它会留在 shell 历史和进程列表里：请改用 --token env:NAME 或 --token file:PATH，并更换这个 token',
  '{0} became shorter than {1} bytes while it was uploaded': '{0} 在上传过程中变得短于 {1} 字节',
  '{0} lists {1} at {2}, which leads out of the cache {3}: remove `cache` for this dataset, if you trust it':
    '{0} 列出的 {1} 位于 {2}，超出了缓存目录 {3}：若信任此数据集，请为它去掉 `cache`',
  '{0} is too short: delete it and run again': '{0} 过短：请删除后重新运行',
  '{0} was received with another sha256 than the Hub lists: run again':
    '收到的 {0} 的 sha256 与 Hub 所列不符：请重新运行',
  'publishing needs a token with the role "write": export HF_TOKEN=hf_… from {0}/settings/tokens{1}':
    '发布需要角色为 "write" 的令牌：export HF_TOKEN=hf_…，取自 {0}/settings/tokens{1}',
  'the token from {0} ({1}) can only read: create one with the role "write" on {2}/settings/tokens':
    '来自 {0} 的令牌（{1}）只能读取：请在 {2}/settings/tokens 创建角色为 "write" 的令牌',
  'the Hub returned {0} for {1}: {2}. Run the same command again: it resumes':
    'Hub 对 {1} 返回了 {0}：{2}。请再次运行同一命令，它会续跑',
  '{0} (the Hub: {1} {2})': '{0}（Hub 的回应：{1} {2}）',
  '{0} was received with sha256 {1}, the Hub lists {2}: a proxy or disk alters it. Discard everything derived from it, which may be committed in part, and delete the run to start over: `run --fresh --force` keeps the replies':
    '收到的 {0} 的 sha256 为 {1}，而 Hub 所列为 {2}：代理或磁盘改动了它。由它得到的内容都应丢弃（可能已部分提交），请删除该运行重新开始：`run --fresh --force` 会保留回复',
  '{0} has {1} bytes: cannot read {2} to {3}': '{0} 有 {1} 字节：无法读取 {2} 到 {3}',
  '{0} at {1} {2}. The file on the Hub is not the one that was listed: use a new run directory, or try again if a mirror is out of sync':
    '{0}（{1}）{2}。Hub 上的文件不是列出时的文件：请使用新的运行目录；若是镜像站未同步，请稍后再试',
  '{0}: no byte after {1} of {2} was received in {3} connections. Run the same command again: it resumes':
    '{0}：{3} 次连接都没有收到 {2} 中第 {1} 字节之后的内容。请再次运行同一命令，它会续跑',
  'no file of {0} at {1} matches {2} (of {3} listed): kun-stream hub ls {4} shows them':
    '{0}（{1}）中没有文件匹配 {2}（共列出 {3} 个）：用 kun-stream hub ls {4} 查看',
  "{0} did not return the JSON of the Hub's API ({1}): check HF_ENDPOINT and the proxy, then run the same command again":
    '{0} 返回的不是 Hub API 的 JSON（{1}）：请检查 HF_ENDPOINT 和代理，然后再次运行同一命令',
  '{0} returned more than {1} bytes, too much for an API call': '{0} 返回了超过 {1} 字节，对 API 调用来说过多',
  'the dataset is given as {0}: write owner/name, as in Skywork/SkyPile-150B':
    '数据集写成了 {0}：请写成 owner/name，例如 Skywork/SkyPile-150B',
  'the address of the Hub is {0}: it must begin with http:// or https://':
    'Hub 的地址为 {0}：必须以 http:// 或 https:// 开头',
  'the address of the Hub contains a user or a password (not shown): remove it, and set a token as HF_TOKEN':
    'Hub 的地址中含有用户名或密码（不予显示）：请去掉，并用 HF_TOKEN 设置令牌',
  'the token from {0} is not sent to {1}: {2}': '来自 {0} 的令牌不会发往 {1}：{2}',
  'the Hub token from {0} does not begin with hf_ ({1} characters), so it is not a token of {2}: use one from {3}/settings/tokens, or set HF_ENDPOINT to the Hub that it belongs to':
    '来自 {0} 的 Hub 令牌不以 hf_ 开头（{1} 个字符），因此不是 {2} 的令牌：请用 {3}/settings/tokens 的令牌，或把 HF_ENDPOINT 设为它所属的 Hub',
  'the Hub token is given as {0}, but {1} is not set: export {2}=hf_…':
    'Hub 令牌写作 {0}，但 {1} 没有设置：export {2}=hf_…',
  'the Hub token is given as {0}, but {1} contains none': 'Hub 令牌写作 {0}，但 {1} 中没有令牌',
  'the Hub token is given, but is empty: give env:NAME or file:PATH':
    '给了 Hub 令牌，但为空：请写 env:NAME 或 file:PATH',
  'cannot look up the home directory of ~{0}: {1}': '无法查到 ~{0} 的主目录：{1}',
  'cannot read the Hub token file {0}: {1}': '无法读取 Hub 令牌文件 {0}：{1}',
  'the thread that computes the sha256 of a shard was lost: {0}. Run the same command again':
    '计算分片 sha256 的线程已丢失：{0}。请再次运行同一命令',
  'HF_HUB_OFFLINE is set, so no request is sent to {0}: unset it, or use local files':
    '设置了 HF_HUB_OFFLINE，因此不会向 {0} 发送请求：请取消设置，或使用本地文件',
  '{0} redirects more than {1} times': '{0} 的重定向超过 {1} 次',
  '{0} failed, last with {1}, after {2}. Run the same command again: it resumes':
    '{0} 失败，最后一次为 {1}，共 {2}。请再次运行同一命令，它会续跑',
  '{0} failed, last with {1}, after {2}. It asks to wait {3} s. Run the same command again: it resumes':
    '{0} 失败，最后一次为 {1}，共 {2}。它要求等待 {3} 秒。请再次运行同一命令，它会续跑',
  'the Hub asks for {0} bytes in {1} parts of {2} bytes: publish again':
    'Hub 要求把 {0} 字节分成 {1} 段、每段 {2} 字节：请重新发布',
  'the Hub accepted part {0} of {1} without an ETag: publish again':
    'Hub 接受了 {1} 的第 {0} 段但没有返回 ETag：请重新发布',
} as const
