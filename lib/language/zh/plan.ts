/** `plan` and `compare`: checks, the prediction, and the comparison. */
export const plan = {
  'plan the run in units on so many GPUs: docs/scale.md': '估算在这么多 GPU 上分单元运行：docs/scale.md',
  'with --gpus: mean life of a spot GPU': '与 --gpus 合用：抢占式 GPU 的平均寿命',
  "with --gpus: GPU seconds a candidate, in place of a sample's":
    '与 --gpus 合用：每个候选的 GPU 秒数，代替抽样得到的值',
  "with --gpus: candidates, in place of a sample's": '与 --gpus 合用：候选数，代替抽样得到的值',
  'GPUs of each server of the recipe, for --records': '配方中每个服务器的 GPU 数，用于 --records',
  '--gpu-life-hours, --gpu-seconds and --candidates need --gpus':
    '--gpu-life-hours、--gpu-seconds 和 --candidates 需要 --gpus',
  '--gpu-life-hours is {0}: give at least {1}, since a model takes minutes to load':
    '--gpu-life-hours 是 {0}：请至少给出 {1}，因为加载模型需要几分钟',
  '--gpus: the size of a shard is unknown: give --candidates, or --records for a sample':
    '--gpus：有分片的大小未知：请给出 --candidates，或用 --records 抽样',
  '{0}, {1} on one GPU': '{0} 个，在一块 GPU 上需 {1}',
  '{0} of {1} candidates, {2} each on one GPU': '{0} 个，每个 {1} 个候选，在一块 GPU 上各需 {2}',
  'submit --slurm --parallel {0}: {1} of {2} in {3}': 'submit --slurm --parallel {0}：{1}，每个 {2}，共 {3}',
  'Fewer than {0} units a GPU: many GPUs are idle at the end': '每块 GPU 不到 {0} 个单元：最后会有许多 GPU 空闲',
  'In units, on {0}:': '分单元运行，使用 {0}：',
  candidates: '候选',
  work: '计算量',
  units: '单元',
  losses: '损失',
  store: '存储',
  shipped: '传输',
  workers: '工作进程',
  '{0}, of which at the end {1} with GPUs idle': '{0}，其中最后 {1} 有 GPU 空闲',
  '{0} reads and {1} writes: {2} dollars at 5 a million writes': '读 {0} 次，写 {1} 次：按每百万次写 5 美元计 {2} 美元',
  '{0}: units {1}, replies {2}, results {3}': '{0}：单元 {1}，回复 {2}，结果 {3}',
  '{0}, each with one GPU: worker --queue, or generate --part 1/{1} and so on':
    '{0} 个，各用一块 GPU：worker --queue，或 generate --part 1/{1} 等',
  '{0}, from the sample': '{0}，由抽样推算',
  '{0}, estimated from the size of the input; give --records or --candidates':
    '{0}，按输入的大小估计；请给出 --records 或 --candidates',
  '{0} GPU seconds a candidate': '每个候选 {0} GPU 秒',
  '{0} GPU seconds a candidate, at the rate of the sample': '每个候选 {0} GPU 秒，按抽样的速率',
  '{0} GPU seconds a candidate: 8B models on an H100; give --records or --gpu-seconds':
    '每个候选 {0} GPU 秒：H100 上的 8B 模型；请给出 --records 或 --gpu-seconds',
  'none; with spot GPUs give --gpu-life-hours': '无；使用抢占式 GPU 时请给出 --gpu-life-hours',
  '{0} if a GPU lives {1} on average: {2} % of the work is repeated or spent on loading models':
    '{0} 次（GPU 平均寿命 {1}）：{2} % 的计算量重复或用于加载模型',
  'Fewer than {0} units a GPU: many GPUs are idle at the end. Set output.candidatesPerCut: {1}':
    '每块 GPU 不到 {0} 个单元：最后会有许多 GPU 空闲。请设置 output.candidatesPerCut: {1}',
  'check everything that a run needs: sources, servers, context, disk, rights; predict it with --records':
    '检查一次运行所需的一切：数据源、服务器、上下文、磁盘、权限；用 --records 预测整个运行',
  'run the same records through two recipes, and show rows and cost side by side':
    '用两份配方处理同样的记录，并列显示数据行和成本',
  'call no server and no Hub, except to list a source of the Hub': '不调用服务器和 Hub（列出 Hub 数据源除外）',
  'run this many records through every stage, and predict the whole run': '用这么多条记录跑完所有阶段，并预测整个运行',
  'GPUs of the servers; by default one for each endpoint': '服务器的 GPU 数；默认每个地址一块',
  'price of a GPU hour, for the cost': '每 GPU 小时的价格，用于计算成本',
  'a recipe, whose sources are sampled': '一份配方，从它的数据源抽样',
  'another recipe, which gets the same records': '另一份配方，使用同样的记录',
  'records to take, spread over the shards': '抽取的记录数，分布在各分片中',
  'chunks to show': '显示的片段数',
  'must be a number over 0.': '必须是大于 0 的数。',
  '--records: nothing was run, because a check failed': '--records：有检查未通过，因此没有试跑',
  '{0} {1}': '{0}：{1}',
  'prepare: filters, tokenizer, classifier and benchmarks can be read':
    'prepare：过滤器、分词器、分类器和评测集均可读取',
  '{0}: standard input is read by the run only': '{0}：标准输入只在运行时读取',
  '{0}: only {1} of the first {2} records have a text: check the fields and the files':
    '{0}：前 {2} 条记录中只有 {1} 条有正文：请检查字段和文件',
  '{0}: {1} of the first {2} records have a text': '{0}：前 {2} 条记录中有 {1} 条有正文',
  '{0}: the built-in server; its rows are for a demonstration, not for training':
    '{0}：内置服务器；其数据行仅供演示，不能用于训练',
  '{0}: {1} does not respond ({2}): start the server, or check the address':
    '{0}：{1} 没有响应（{2}）：请启动服务器，或检查地址',
  '{0}: {1} refuses the key ({2}): set apiKey: env:NAME of this model, and the variable':
    '{0}：{1} 拒绝了密钥（{2}）：请为该模型设置 apiKey: env:NAME 及其环境变量',
  '{0}: {1} is not the address of the API ({2}): write {3}/v1': '{0}：{1} 不是接口地址（{2}）：请写 {3}/v1',
  '{0}: {1} does not list its models: whether it serves {2} is not known':
    '{0}：{1} 没有列出模型：无法确认它是否提供 {2}',
  '{0}: {1}/models gives {2}: check the address; it usually ends in /v1':
    '{0}：{1}/models 返回 {2}：请检查地址，通常以 /v1 结尾',
  '{0}: {1} serves {2}': '{0}：{1} 提供 {2}',
  '{0}: {1} does not serve {2}, but {3}: set model of this entry to one of them':
    '{0}：{1} 不提供 {2}，而是 {3}：请把此项的 model 改为其中之一',
  '{0}: {1} does not serve {2}, but {3}: set model: {4}': '{0}：{1} 不提供 {2}，而是 {3}：请写 model: {4}',
  '{0}: no stage uses this model': '{0}：没有任何阶段使用该模型',
  '{0}: {1} does not report its context; {2} needs up to about {3}': '{0}：{1} 没有给出上下文长度；{2} 最多约需 {3}',
  '{0}: a context of {1}, {2} needs up to about {3}': '{0}：上下文为 {1}，{2} 最多约需 {3}',
  '{0}: a context of {1}, but {2} needs up to about {3} (prompt, record and reply: {4}): serve a longer one, or lower prepare.chunk.tokensMax or kun.{5}.sampling.max_tokens':
    '{0}：上下文为 {1}，但 {2} 最多约需 {3}（提示词、记录和回复：{4}）：请提供更长的上下文，或调低 prepare.chunk.tokensMax 或 kun.{5}.sampling.max_tokens',
  '{0}: {1} is not writable: choose another folder with --out': '{0}：{1} 不可写：请用 --out 选择其他文件夹',
  '{0}: {1} free, but the run needs about {2}: choose another disk with --out':
    '{0}：可用 {1}，但运行约需 {2}：请用 --out 选择其他磁盘',
  '{0}: only {1} free: choose another disk with --out': '{0}：仅剩 {1}：请用 --out 选择其他磁盘',
  '{0}: {1} free, less than the {2} that are read: --records 200 predicts what is written':
    '{0}：可用 {1}，少于要读取的 {2}：--records 200 可预测写入量',
  '{0}: {1} free': '{0}：可用 {1}',
  '{0}: {1} free, the run needs about {2}': '{0}：可用 {1}，运行约需 {2}',
  '{0}: no token for {1}: set HF_TOKEN to one with the role write':
    '{0}：没有 {1} 的令牌：请把 HF_TOKEN 设为有写权限的令牌',
  '{0}: {1} does not name the account of the token': '{0}：{1} 的回复里没有 token 所属的账号',
  '{0}: {1} refuses the token of {2} ({3}): make a new one with the role write':
    '{0}：{1} 拒绝了来自 {2} 的令牌（{3}）：请新建一个有写权限的令牌',
  '{0}: the token of {1} may only read: make one with the role write':
    '{0}：来自 {1} 的令牌只能读取：请新建一个有写权限的令牌',
  '{0}: {1} may publish {2}': '{0}：{1} 可以发布 {2}',
  '{0}: the token is that of {1}, but {2} belongs to {3}: change the repository or the token':
    '{0}：令牌属于 {1}，而 {2} 属于 {3}：请更换仓库或令牌',
  '{0}: {1} cannot be asked: {2}': '{0}：无法查询 {1}：{2}',
  '--records: no record can be sampled from the sources (standard input is read by the run only)':
    '--records：无法从数据源抽取记录（标准输入只在运行时读取）',
  'no record can be sampled from {0}: standard input is read by a run only':
    '无法从 {0} 抽取记录：标准输入只在运行时读取',
  '  {0} {1}, from {2} to {3}': '  {0} {1}，{2} 至 {3}',
  'Predicted from {0} records, spread over the shards, that went through every stage:':
    '根据分布在各分片中、跑完所有阶段的 {0} 条记录预测：',
  '  documents read {0} (counted)': '  读取文档         {0}（已统计）',
  'documents read': '读取文档',
  'chunks made': '产生片段',
  'rows written': '写入数据行',
  'reply tokens': '回复词元',
  time: '时间',
  'GPU hours': 'GPU 小时',
  cost: '成本',
  'bytes on disk': '磁盘占用',
  "Ranges: 95 % of 1,000 bootstrap resamples of these records. Time is at the sample's {0} tokens per second, which a long run usually exceeds. Duplicates of records outside of the sample are not seen: rows, tokens and time are upper limits for a corpus that repeats itself.":
    '范围：对这些记录做 1,000 次自助重抽样的 95 % 区间。时间按样本的每秒 {0} 个词元计算，长时间运行通常更快。样本看不到与样本外记录的重复：对于重复较多的语料，数据行、词元和时间都是上限。',
  '{0}: {1} ({2}) drops {3} of {4} documents: check the source, and its bound in prepare.quality':
    '{0}：{1}（{2}）丢弃了 {4} 篇文档中的 {3} 篇：请检查数据源及 prepare.quality 中的阈值',
  '{0}: {1} drops {2} of {3} records as {4}: check its threshold, filter and prompt in kun.{5}':
    '{0}：{1} 以 {4} 丢弃了 {3} 条记录中的 {2} 条：请检查 kun.{5} 中的阈值、过滤器和提示词',
  '{0}: {1} of {2} records were cut off or too long for the model: raise sampling.max_tokens, lower prepare.chunk.tokensMax, or serve a longer context':
    '{0}：{2} 条记录中有 {1} 条被截断或超出模型长度：请调高 sampling.max_tokens、调低 prepare.chunk.tokensMax，或提供更长的上下文',
  '{0}: {1} rows of {2} chunks: look at the rejects of a trial (run --sample 20) before a long run':
    '{0}：{2} 个片段只得到 {1} 行：长时间运行前请先看试跑（run --sample 20）的拒绝记录',
  'running {0}': '正在运行 {0}',
  '{0} records through both recipes, A and B': '{0} 条记录经过 A、B 两份配方',
  'mean score': '平均评分',
  'characters: instruction': '指令字符数',
  'characters: output': '回答字符数',
  'seconds taken': '用时（秒）',
  'reply tokens for each row': '每行回复词元',
  'GPU seconds for each row': '每行 GPU 秒',
  'cost of each row': '每行成本',
  'most frequent rejects': '最常见的拒绝原因',
  'no such chunk': '没有该片段',
  'rejected by {0}: {1}': '被 {0} 拒绝：{1}',
} as const
