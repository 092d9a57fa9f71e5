/** Messages of lib/cli. */
export const cli = {
  '{0} is empty: give a value; a variable of the shell may not be set':
    '{0} 为空：请给出值；可能有一个 shell 变量没有设置',
  '{0} cannot be read ({1}): {2}': '无法读取 {0}（{1}）：{2}',
  '--hub and {0} are two sources: give one': '--hub 和 {0} 是两个数据来源：只给一个',
  '--hub {0} needs --files GLOB: kun-stream hub ls {1} lists them':
    '--hub {0} 需要 --files GLOB：用 kun-stream hub ls {1} 列出文件',
  '--files requires --hub: files on disk are arguments': '--files 需要 --hub：本地文件直接作为参数给出',
  '{0} has {1} rows, at most {2} are compared: give one --split at a time':
    '{0} 有 {1} 行，一次最多比较 {2} 行：每次只给一个 --split',
  'the parts have {0} rows, {1} were committed: run verify': '数据文件共 {0} 行，已提交的是 {1} 行：请运行 verify',
  'the working directory no longer exists: change to one that exists, and run again':
    '当前工作目录已不存在：请切换到存在的目录后再运行',
  'the system refused {0}: {1}; committed cuts of a run are kept': '系统拒绝了 {0}：{1}；已提交的批次都保留着',
  "{0} was not written here by this account, and its run.json sends texts to {1}. To allow it, add --trust, or name the servers: --set '{2}={3}'":
    "{0} 不是由本账户在此写入的，而其 run.json 会把文本发往 {1}。若要允许，请加 --trust，或指明服务器：--set '{2}={3}'",
  '{0} contains a Parquet file that could not be decoded in {1} s: it is damaged. Find it with kun-stream verify, or name other files':
    '{0} 中有一个 Parquet 文件在 {1} 秒内无法解码：文件已损坏。用 kun-stream verify 找出它，或改用其他文件',
  '--log-level requires --log <file>': '--log-level 需要 --log <file>',
  '--stages is {0}: give some of {1}, in this order': '--stages 为 {0}：请从 {1} 中选取，并保持此顺序',
  '--stages has {0} without label: they need the pairs that it makes':
    '--stages 中有 {0} 而没有 label：它们需要 label 生成的指令对',
  '--stages has {0}: name a recipe with --recipe': '--stages 中有 {0}：请用 --recipe 指定配方',
  'the recipe has no kun.{0}': '配方中没有 kun.{0}',
  'publishing was stopped by {0}; publish again to resume': '发布被 {0} 中止；再次发布即可继续',
  '{0} cannot be read: {1}. Give a run directory, such as out/demo': '无法读取 {0}：{1}。请给出运行目录，例如 out/demo',
  '{0} is not a run directory: it holds neither {1} nor {2}. {3}': '{0} 不是运行目录：其中既没有 {1} 也没有 {2}。{3}',
  'stopped while publishing': '在发布过程中停止',
  'stopped immediately': '已立即停止',
  'stopped by {0} before the run started': '在运行开始前被 {0} 停止',
  stopped: '已停止',
  '{0}, line {1} is not an example: a line is {"text": "…", "label": "keep" or "drop"}, or has a "grade" from 0 to 1':
    '{0} 第 {1} 行不是样例：每行应为 {"text": "…", "label": "keep" 或 "drop"}，或带有 0 到 1 的 "grade"',
  '{0} TMPDIR names the directory for temporary files': '{0} 临时文件目录由 TMPDIR 指定',
  '--json prints on standard output, as the rows do: name a file with --out':
    '--json 与数据行都输出到标准输出：请用 --out 指定文件',
  'standard output is a terminal: redirect it, or name a file for Parquet with --out':
    '标准输出是终端：请重定向，或用 --out 指定 Parquet 文件',
  '--dataset-info names a file of rows: name it with --out': '--dataset-info 需要引用数据文件：请用 --out 指定',
  'LLaMA-Factory does not read --as {0}: give --as dpo-text or --as dpo-messages':
    'LLaMA-Factory 不能读取 --as {0}：请用 --as dpo-text 或 --as dpo-messages',
  '--on reads one run directory, {0} were given': '--on 只读取一个运行目录，给了 {0} 个',
  '--threshold is {0}: give a number from 0.5 to 0.98': '--threshold 为 {0}：请给 0.5 到 0.98 之间的数',
  '--threads is {0}: give a number from 1, or auto': '--threads 为 {0}：请给不小于 1 的数，或 auto',
  '--text is {0}: {1}': '--text 为 {0}：{1}',
  '--load is {0}: write owner/name=folder': '--load 为 {0}：请写成 owner/name=folder',
  '--load {0}: the folder {1} contains no file: check the path': '--load {0}：文件夹 {1} 中没有文件：请检查路径',
  'not found in {0}:\n{1}\nGive an unchanged clone of COIG-Kun': '在 {0} 中找不到：\n{1}\n请给出未改动的 COIG-Kun 克隆',
  '{0} cannot be read: {1}; give the folder of a clone of COIG-Kun': '无法读取 {0}：{1}；请给出 COIG-Kun 克隆的文件夹',
  '--set requires --recipe': '--set 需要 --recipe',
  'standard output is a terminal: redirect it, or name a file for {0} with --out':
    '标准输出是终端：请重定向，或用 --out 指定 {0} 文件',
  'stages that call a model need --recipe': '调用模型的阶段需要 --recipe',
  '--out is {0}, the run itself: name another directory; a run is not changed by rebuild':
    '--out 为 {0}，即原运行本身：请指定另一个目录；rebuild 不会修改原运行',
  '{0}/run.json has {1} {2}, this version of kun-stream {3}: rows may differ for that reason, too':
    '{0}/run.json 中 {1} 为 {2}，当前版本的 kun-stream 为 {3}：数据行也可能因此不同',
  '{0} is a bucket: give the run directory of the dataset, which kun-stream assemble {1} --out DIR writes':
    '{0} 是存储桶：请给出数据集的运行目录，它由 kun-stream assemble {1} --out DIR 写入',
  '  {0} set aside: kun-stream units ls': '  {0}已搁置：kun-stream units ls',
  '  {0} begun: in hand, or of a worker that was lost': '  {0}已开始：正在生成，或其工作进程已丢失',
  '{0}: units in {1}': '{0}：{1} 中的单元',
  '  no unit is planned yet': '  尚未计划任何单元',
  '{0} does not contain a run: give a run directory, such as out/demo': '{0} 中没有运行：请给出运行目录，例如 out/demo',
  '{0}/run.json does not contain its recipe: run the recipe with --out {1} --set \'replies.from=["{2}"]\'':
    '{0}/run.json 中没有配方：请用 --out {1} --set \'replies.from=["{2}"]\' 运行该配方',
  "{0}/run.json names filters, which are code: {1}. If you trust them, add --set '{2}={3}'":
    "{0}/run.json 引用了过滤器，而过滤器是代码：{1}。若信任它们，请加 --set '{2}={3}'",
  '--force requires --fresh: it deletes the run that exists': '--force 需要 --fresh：它会删除已有的运行',
  '--from-mirror: the recipe has no mirror.to': '--from-mirror：配方中没有 mirror.to',
  'the mirror cannot be opened': '无法打开镜像',
  '--by random stands alone: give score, diversity, or both': '--by random 只能单独使用：请给 score、diversity，或两者',
  'must be a whole number of {0} or more.': '必须是不小于 {0} 的整数。',
  '{0} is {1}: give some of {2}, with commas': '{0} 为 {1}：请从 {2} 中选取，用逗号分隔',
  '--prompt requires --invert: without it no prompt is written': '--prompt 需要 --invert：否则不会写出提示词',
  '--faults is not valid JSON: {0}. Give a list of rules: [{"kind":"hang"}]':
    '--faults 不是有效的 JSON：{0}。请给出规则列表：[{"kind":"hang"}]',
  "--faults: found '{0}', give kind[=rate][@after[-until]], such as empty=0.01@500":
    '--faults：得到“{0}”，应为 kind[=rate][@after[-until]]，例如 empty=0.01@500',
  '--port is {0}: give {1}': '--port 为 {0}：请给 {1}',
  '{0} has no graded text: its rows need the columns raw and screen, which kun.screen writes':
    '{0} 中没有已评分的文本：各行需要 raw 和 screen 两列，由 kun.screen 写入',
  'of {0} with a grade, {1} of the {2} {3} are kept: at least {4} texts, and both grades in each part, are needed. Grade more texts':
    '{0} 条已评分文本中，{3} 部分 {2} 条里有 {1} 条为保留：至少需要 {4} 条，且每部分都要有两种评分。请评分更多文本',
  'must be a number from 0 to 1.': '必须是 0 到 1 之间的数。',
  'must be a power of two from {0} to {1}.': '必须是 {0} 到 {1} 之间的 2 的幂。',
  '{0} contains no rows in Parquet': '{0} 中没有 Parquet 格式的数据行',
  '{0} contains no rejects in Parquet': '{0} 中没有 Parquet 格式的拒绝记录',
  '{0} could not be written: {1}. Free space, or write elsewhere, and run the command again':
    '无法写入 {0}：{1}。请释放空间或写到别处，然后重新运行命令',
  'The stand-in S3 listens on {0}, with the bucket s3://kun. For its clients:\n':
    'S3 替身监听 {0}，存储桶为 s3://kun。客户端设置：\n',
} as const
