/** `init`: its questions, its messages, and the comments of the recipe that it writes. */
export const init = {
  'write a recipe that runs, for files or a dataset of the Hub; asks in a terminal':
    '为本地文件或 Hub 数据集写一份可运行的配方；在终端中会提问',
  'files, folders or globs; with --hub globs in the repository': '文件、文件夹或 glob；与 --hub 同用时为仓库内的 glob',
  'a dataset on the Hugging Face Hub as the source': '以 Hugging Face Hub 上的数据集为数据源',
  'field names of a known corpus: wudao, wanjuan, skypile': '已知语料的字段名：wudao、wanjuan、skypile',
  'field of the text; by default the longest Chinese one': '正文字段；默认取中文最长的字段',
  'field of the id': 'ID 字段',
  'field of the title': '标题字段',
  'model server with /v1, or builtin; by default one on this machine':
    '模型服务器地址（含 /v1），或 builtin；默认使用本机上的服务器',
  'model of the server; by default the first one it serves': '服务器上的模型；默认取第一个',
  'environment variable with the key of the server': '存放服务器密钥的环境变量',
  'name of the run; by default that of the source': '运行的名称；默认取数据源的名称',
  'folder of the dataset; by default out/NAME': '数据集文件夹；默认为 out/NAME',
  'path of the recipe; - writes it to stdout (default: recipe.yaml)':
    '配方路径；- 表示写到标准输出（默认 recipe.yaml）',
  'copy the demonstration: a made-up corpus and its recipe': '复制演示：虚构语料及其配方',
  'overwrite files that exist': '覆盖已有文件',
  'ask nothing: take what is proposed': '不提问，直接采用建议值',
  'Nothing was written.': '没有写入任何文件。',
  'init was stopped: nothing was written': 'init 已停止：没有写入任何文件',
  'Source: files, a folder or a glob; hub:owner/name for a dataset of the Hugging Face Hub':
    '数据源：文件、文件夹或 glob；Hugging Face Hub 数据集写作 hub:owner/name',
  'name at least one file': '请至少给出一个文件',
  '{0} records, {1} characters on average': '{0} 条记录，平均 {1} 个字符',
  'Which field is the text?': '哪个字段是正文？',
  'Another address': '其他地址',
  'The built-in server: no GPU, to see how a run works': '内置服务器：无需 GPU，用于了解运行过程',
  'Which model writes, grades and polishes?': '由哪个模型负责写指令、评分和润色？',
  'Address of the server, with /v1': '服务器地址（含 /v1）',
  'write an address as http://localhost:8000/v1': '请写成 http://localhost:8000/v1 这样的地址',
  'Which of its models?': '使用其中哪个模型？',
  '{0} does not list its models: name of the model': '{0} 没有列出模型，请输入模型名称',
  'name the model': '请输入模型名称',
  'Folder of the dataset': '数据集文件夹',
  '{0} exists. Overwrite it?': '{0} 已存在，是否覆盖？',
  '{0} exists: move it, or overwrite it with --force': '{0} 已存在：请移走它，或用 --force 覆盖',
  'Recipe of kun-stream: raw text in, an instruction dataset out. docs/recipe.md describes all fields.':
    'kun-stream 配方：输入原始文本，输出指令数据集。全部字段见 docs/recipe.md。',
  'Check everything:  {0} plan {1}': '全面检查：  {0} plan {1}',
  'Try 20 records:  {0} run {1} --sample 20': '试跑 20 条：{0} run {1} --sample 20',
  'Run, or resume:  {0} run {1}': '运行或续跑：{0} run {1}',
  'The run: rows in data/, rejected records with their reason in rejects/, replies in replies/.':
    '运行目录：data/ 中是数据行，rejects/ 中是拒绝记录及原因，replies/ 中是模型回复。',
  'Limits of a run; it can be continued with higher ones.': '运行的上限；调高后可以继续运行。',
  'Publishes the dataset on the Hugging Face Hub at the end, with the token in HF_TOKEN:':
    '结束后把数据集发布到 Hugging Face Hub，使用 HF_TOKEN 中的令牌：',
  'field names of a known corpus': '已知语料的字段名',
  'A second source of the same split needs a name:': '同一数据划分的第二个数据源需要 name：',
  'a text in {0} of the first {1} records, {2} characters on average':
    '前 {1} 条记录中有 {0} 条含正文，平均 {2} 个字符',
  'The built-in server needs no GPU and no model. It shows how a run works; its rows are not for training.\nReplace it by your server, as in the lines below, and run again with --fresh --force.':
    '内置服务器不需要 GPU 和模型，只用来展示运行过程；它产生的数据行不能用于训练。\n请按下面几行换成您的服务器，再加上 --fresh --force 重新运行。',
  'Servers with an OpenAI-compatible API (vLLM, SGLang, llama.cpp, Ollama, LM Studio). Several endpoints share the work.':
    '提供 OpenAI 兼容接口的服务器（vLLM、SGLang、llama.cpp、Ollama、LM Studio）。可以写多个地址分担请求。',
  '{0}, {1} tokens of context': '{0}，上下文 {1} 个词元',
  'no thoughts before a reply: many times faster': '回复前不输出思考：快很多倍',
  'The stages: label writes an instruction for each chunk, score grades it, polish writes the answer.':
    '各阶段：label 为每个片段写指令，score 评分，polish 写回答。',
  'grades each text first, with one token': '先用一个词元给正文评分',
  'pairs with a lower score are dropped': '低于此分的指令对会被丢弃',
  'Other models were found: {0}. Choose one with --server and --model':
    '还发现了其他模型：{0}。可用 --server 和 --model 选择',
  '--server is {0}: write an address such as http://localhost:8000/v1, or builtin':
    '--server 为 {0}：请写成 http://localhost:8000/v1 这样的地址，或 builtin',
  '{0} does not list its models: start it, or name the model with --model':
    '{0} 没有列出模型：请启动它，或用 --model 指定模型',
  '--model is {0}: {1} serves {2}': '--model 为 {0}，但 {1} 提供的是 {2}',
  '{0} does not respond now: the recipe is written without a check': '{0} 目前没有响应：配方未经检查即写入',
  '{0} is the address without /v1: the recipe has {1}': '{0} 缺少 /v1：配方中写为 {1}',
  'no record of the source can be read: {0}: {1} {2}; kun-stream reads JSON Lines, JSON, Parquet, Arrow and tar (docs/shard-formats.md)':
    '数据源中没有可读的记录：{0}：{1} {2}；kun-stream 支持 JSON Lines、JSON、Parquet、Arrow 和 tar（见 docs/shard-formats.md）',
  '--{0} is {1}: the first records have no such field, but {2}': '--{0} 为 {1}：前面的记录中没有这个字段，只有 {2}',
  'no field of the first records is a text; their fields are {0}: name it with --text':
    '前面的记录中没有正文字段；现有字段为 {0}，请用 --text 指定',
  '{0} has no file of a known format: JSON Lines, JSON, Parquet, Arrow or tar':
    '{0} 中没有已知格式的文件（JSON Lines、JSON、Parquet、Arrow 或 tar）',
  '{0} exists: write another file with --write, or overwrite it with --force':
    '{0} 已存在：请用 --write 写到另一个文件，或用 --force 覆盖',
  '--demo has a corpus of its own: leave out {0}': '--demo 自带语料：请去掉 {0}',
  '{0} and demo-data are written. Run it: {1}': '已写入 {0} 和 demo-data。运行：{1}',
  'no data file is in this folder: name files (init data/*.jsonl), a dataset with --hub owner/name, or try --demo':
    '当前文件夹没有数据文件：请给出文件（init data/*.jsonl）、用 --hub owner/name 指定数据集，或试试 --demo',
  'text from {0}': '正文字段 {0}',
  'preset {0}': '预设 {0}',
  'the built-in server (for a demonstration)': '内置服务器（仅供演示）',
  '{0}: {1}, {2}; {3}; rows go to {4}': '{0}：{1}，{2}；{3}；数据行写入 {4}',
  'Next: {0} plan {1}\n      {2} run {3} --sample 20': '下一步：{0} plan {1}\n        {2} run {3} --sample 20',
} as const
