/** Descriptions of commands, arguments and options, as `--help` prints them. */
export const help = {
  'run a recipe, or resume the run in its directory': '运行配方，或续跑其目录中的运行',
  'run directory, in place of output.dir': '运行目录，代替 output.dir',
  'override a field: kun.score.keepAtLeast=0.4 (repeatable)': '覆盖一个字段：kun.score.keepAtLeast=0.4（可重复）',
  'refuse to resume a run that exists': '若已有运行则拒绝续跑',
  'with --fresh: delete that run, except its replies': '配合 --fresh：删除该运行，但保留其回复',
  'first restore the run from mirror.to, to a directory that does not exist':
    '先从 mirror.to 把运行恢复到一个尚不存在的目录',
  'stop every record after this stage; a later run continues': '每条记录在此阶段之后停止；之后的运行可继续',
  'append a JSON line for each decision of the command: docs/operations.md':
    '为命令的每个决定追加一行 JSON：docs/operations.md',
  'lowest level of --log; info by default': '--log 的最低级别；默认 info',
  'a YAML file: docs/recipe.md; - reads standard input': 'YAML 文件：docs/recipe.md；- 表示读取标准输入',
  'print what a run would read, which servers it would call, and the state of its directory; writes nothing':
    '显示运行会读取什么、会调用哪些服务器，以及其目录的状态；不写入任何内容',
  'print one JSON object': '输出一个 JSON 对象',
  'a YAML file': 'YAML 文件',
  'print the contents of a run directory, and the progress of its run or how it ended':
    '显示运行目录的内容，以及运行的进度或结束情况',
  'run directory': '运行目录',
  'run directory, or s3://bucket/prefix of a run in units': '运行目录，或分单元运行的 s3://bucket/prefix',
  'make a dataset from the replies of a run, with another threshold, filter or stage; sends only new calls':
    '用已有回复重建数据集，可改变阈值、过滤器或阶段；只发送新的调用',
  'run directory of the new dataset': '新数据集的运行目录',
  'accept the servers named in a run.json that another account wrote': '接受由其他账户写入的 run.json 中所列的服务器',
  'run directory, complete or not': '运行目录，不论是否完成',
  'show rows of a run directory, a folder or a Parquet file': '显示运行目录、文件夹或 Parquet 文件中的数据行',
  'rows per split': '每个数据划分的行数',
  'show rejects and their reasons, in place of rows': '显示拒绝记录及原因，而不是数据行',
  'show rejects and their reasons, in place of pairs': '显示拒绝记录及原因，而不是指令对',
  'do not truncate long texts': '不截断长文本',
  'print one JSON object per line': '每行输出一个 JSON 对象',
  'run directory, folder with Parquet files, or one Parquet file':
    '运行目录、含 Parquet 文件的文件夹，或单个 Parquet 文件',
  'check a run directory: every durable file, checksum, row, id and counter':
    '检查运行目录：每个持久文件、校验和、数据行、id 和计数',
  'print the findings as JSON': '以 JSON 输出检查结果',
  'remove exact and near duplicates; the lines that stay come out as they went in, other records as JSON Lines':
    '去除完全重复和近似重复；保留的行原样输出，其他记录以 JSON Lines 输出',
  'read a dataset on the Hub in place of files': '读取 Hub 上的数据集，而不是文件',
  'with --hub: paths in the dataset (may be repeated; ! excludes)': '配合 --hub：数据集中的路径（可重复；! 表示排除）',
  'with --hub: branch, tag or commit': '配合 --hub：分支、标签或提交',
  'address of the Hub, in place of HF_ENDPOINT or huggingface.co': 'Hub 的地址，代替 HF_ENDPOINT 或 huggingface.co',
  'environment variable or file with the token; by default HF_TOKEN or the token file':
    '存放令牌的环境变量或文件；默认 HF_TOKEN 或令牌文件',
  'Jaccard of character 5-grams from which on a text is a duplicate': '字符 5-gram 的 Jaccard 相似度达到此值即视为重复',
  'field of the text': '文本所在的字段',
  'field of the id that rejects name; FILE:LINE without': '拒绝记录中使用的 id 字段；没有则为 文件:行号',
  'write what was dropped, and why, as JSON Lines': '以 JSON Lines 写出被丢弃的内容及原因',
  'keep an index: drops what earlier calls kept, remembers what this one keeps':
    '保留索引：丢弃以前的调用已保留的内容，并记住这次保留的内容',
  'worker threads; auto is one fewer than there are cores': '工作线程数；auto 为核数减一',
  'remove rows of the run DIR with the same instruction; the best score stays':
    '去除运行 DIR 中指令相同的数据行；保留评分最高的',
  'with --on: only equal instructions are duplicates, not those that are alike':
    '配合 --on：只有完全相同的指令才算重复，相似的不算',
  'with --on: column of the score': '配合 --on：评分所在的列',
  'with --on: split to read; all by default (may be repeated)': '配合 --on：要读取的数据划分；默认全部（可重复）',
  'with --on: file to write, Parquet if it ends in .parquet, else JSON Lines':
    '配合 --on：输出文件，以 .parquet 结尾则为 Parquet，否则为 JSON Lines',
  'files or globs in any format that a recipe reads; - or nothing reads standard input':
    '配方能读取的任何格式的文件或通配模式；- 或不给则读取标准输入',
  'run stages alone, between any source and standard output or a file': '单独运行若干阶段，从任意来源到标准输出或文件',
  'format of the input, if it is not detected': '输入的格式，无法识别时指定',
  'of clean, filter, chunk, dedup, perplexity, screen, label, score, polish, pair, ifd, in this order; clean always runs':
    '从 clean, filter, chunk, dedup, perplexity, screen, label, score, polish, pair, ifd 中选取，保持此顺序；clean 总会执行',
  'models, prompts and thresholds; required for perplexity, screen, label, score, polish, pair, ifd':
    '模型、提示词和阈值；perplexity、screen、label、score、polish、pair、ifd 需要它',
  'format of the output': '输出的格式',
  'write to a file in place of standard output': '写入文件，而不是标准输出',
  "field of the record's own id": '记录自身 id 的字段',
  'field of the title, which prompts get with the text': '标题所在的字段，提示词中与正文一起给出',
  'turn curated instruction data into training data for the chat model, or with --invert for the label model':
    '把精选的指令数据转换为对话模型的训练数据，或配合 --invert 转换为标注模型的训练数据',
  'from output to instruction, with the prompt of the label stage': '由输出预测指令，使用 label 阶段的提示词',
  'with --invert: prompt of the label stage': '配合 --invert：label 阶段的提示词',
  'form of the output': '输出的形式',
  'read the first exchange of a conversation, in place of refusing it': '读取对话的第一轮，而不是拒绝该对话',
  'file to write; - is standard output': '输出文件；- 表示标准输出',
  'format of the output; parquet for a file named .parquet, else jsonl':
    '输出的格式；文件名为 .parquet 时是 parquet，否则是 jsonl',
  'add the output to this dataset_info.json of LLaMA-Factory; needs --out':
    '把输出登记到 LLaMA-Factory 的 dataset_info.json；需要 --out',
  'print the counts as one JSON object; needs --out': '把计数输出为一个 JSON 对象；需要 --out',
  'write what was refused, and why, as JSON Lines': '以 JSON Lines 写出被拒绝的内容及原因',
  'select rows of a run and write them in the form of a trainer': '从运行中选取数据行，按训练框架的形式写出',
  'rows to select; all by default': '要选取的行数；默认全部',
  'rules of the selection, with commas: score, diversity, or both; or random':
    '选取规则，用逗号分隔：score、diversity 或两者；或 random',
  'with diversity: text by which rows are compared': '配合 diversity：用于比较的文本',
  'column of the score': '评分所在的列',
  'with --as dpo…: what is rejected, the first that a row has: raw, variant':
    '配合 --as dpo…：作为 rejected 的内容，取该行首先具有的：raw、variant',
  'split to read; all by default (may be repeated)': '要读取的数据划分；默认全部（可重复）',
  'seed of random order': '随机顺序的种子',
  'train the classifier that drops texts before any model, on the grades of kun.screen in a run':
    '用运行中 kun.screen 的评分训练分类器，在调用模型之前丢弃文本',
  'where the classifier is written': '分类器的写入位置',
  'score at which the agreement with the judge is measured': '衡量与评判模型一致程度时所用的分数',
  'examples that are used at most, a sample of all': '最多使用的样例数（从全部中抽样）',
  'passes over the examples': '遍历样例的次数',
  'weights, a power of two from 1024 to 2097152': '权重数，1024 到 2097152 之间的 2 的幂',
  'seed of the order of the examples': '样例顺序的种子',
  'print the agreement as JSON': '以 JSON 输出一致程度',
  'run directories with kun.screen, or files of lines with text and label (keep or drop)':
    '含 kun.screen 的运行目录，或每行有 text 和 label（keep 或 drop）的文件',
  'read the prompts of the preset paper from a clone of COIG-Kun, and write them as prompt files':
    '从 COIG-Kun 的克隆读取预设 paper 的提示词，并写成提示词文件',
  'where the files are written': '文件的写入位置',
  'the clone, with evaluation/conversation.py and evaluation/common.py':
    '克隆的文件夹，含 evaluation/conversation.py 和 evaluation/common.py',
  'publish the rows of a run on the Hugging Face Hub, with a dataset card; uploads only what is new':
    '把运行的数据行连同数据集卡片发布到 Hugging Face Hub；只上传新内容',
  'dataset on the Hub, created if missing': 'Hub 上的数据集，不存在则创建',
  'creates the dataset as private; does not change one that exists': '以私有方式创建数据集；不改变已有的数据集',
  'branch to commit to': '要提交到的分支',
  'opens a pull request, or updates the one that an earlier publish opened':
    '创建合并请求，或更新此前发布时创建的合并请求',
  'keeps data files of other runs that are on the branch': '保留分支上其他运行的数据文件',
  'deletes data files of other runs that are on the branch': '删除分支上其他运行的数据文件',
  'publishes only files that will not change, while the run is in progress': '运行进行中时，只发布不会再变化的文件',
  'prints the paths that would be written; writes nothing': '显示将写入的路径；不写入任何内容',
  'license of the card: cc-by-4.0, apache-2.0, other; an existing card keeps its own by default':
    '卡片的许可证：cc-by-4.0、apache-2.0、other；已有卡片默认保留原许可证',
  'title of the commits': '提交的标题',
  'print the result as JSON': '以 JSON 输出结果',
  'commands for datasets on the Hugging Face Hub': '用于 Hugging Face Hub 数据集的命令',
  'list the files that a source would read, with sizes': '列出数据来源会读取的文件及大小',
  'branch, tag or commit': '分支、标签或提交',
  dataset: '数据集',
  'paths in the dataset': '数据集中的路径',
  'serve the API of a vLLM server without a GPU: extractive writer, simulated timing, faults':
    '无需 GPU 提供 vLLM 服务器的 API：抽取式写作、模拟耗时与故障',
  'port to listen on; 0 takes a free one': '监听的端口；0 表示自动选择空闲端口',
  'address to listen on': '监听的地址',
  'timing: instant, delay, qwen3-8b-h100, yi-34b-h100x2, qwen3-0.6b-h100':
    '耗时：instant、delay、qwen3-8b-h100、yi-34b-h100x2、qwen3-0.6b-h100',
  'simulated seconds per second, for the GPU presets': 'GPU 预设下每秒对应的模拟秒数',
  'seed of latencies, lengths and fault rates': '延迟、长度和故障率的种子',
  'model name to serve, others get 404 (repeatable)': '提供的模型名，其他名称返回 404（可重复）',
  'latency of the preset delay, in milliseconds: 20, 5..50, or mean,sigma[,max] of a log-normal':
    '预设 delay 的延迟（毫秒）：20、5..50，或对数正态分布的 mean,sigma[,max]',
  'reply lengths in tokens, log-normal, independent of the prompt': '回复长度（词元），对数正态分布，与提示词无关',
  'waiting requests before 503; by default no limit, as vLLM': '返回 503 之前可排队的请求数；默认不限，与 vLLM 相同',
  'context length in tokens; by default of the preset': '上下文长度（词元）；默认取自预设',
  'reasoning in chat replies: none, think, reasoning-content': '对话回复中的推理内容：none、think、reasoning-content',
  'adds eight random letters to every reply, and varies logprobs': '给每条回复加上八个随机字母，并改变对数概率',
  'file to which a JSON line is appended for each request': '为每次请求追加一行 JSON 的文件',
  'capabilities that the server lacks: metrics, logprobs, prompt-lists, echo, prompt-logprobs, tokenize, chat-template-kwargs, models':
    '服务器缺少的能力：metrics, logprobs, prompt-lists, echo, prompt-logprobs, tokenize, chat-template-kwargs, models',
  'kind[=rate][@after[-until]], comma-separated; or a JSON array; or @FILE with one':
    'kind[=rate][@after[-until]]，用逗号分隔；或 JSON 数组；或含数组的 @FILE',
  'serve a stand-in for the Hugging Face Hub, to try publishing and reading without an account':
    '提供 Hugging Face Hub 的本地替身，无需账户即可试用发布和读取',
  'first copy the files of a folder to a repository': '先把文件夹中的文件复制到某个仓库',
  'folder of its repositories': '存放仓库的文件夹',
  'run benches; without a name, list them': '运行性能测试；不给名称则列出',
  'small sizes, to check that the benches run': '小规模，用于检查性能测试能否运行',
  'print the results as JSON': '以 JSON 输出结果',
  "file or folder of labelled examples, for the bench 'filters'; repeatable":
    '标注样例的文件或文件夹，用于性能测试“filters”；可重复',
  'print the script that completes commands and options in zsh, bash, fish or powershell':
    '输出 zsh、bash、fish 或 powershell 的补全脚本，可补全命令和选项',
  'output the version number': '显示版本号',
  'display help for command': '显示命令的帮助',
  'Usage:': '用法：',
  'Options:': '选项：',
  'Commands:': '命令：',
  'Arguments:': '参数：',
  '{0} (choices: {1})': '{0}（可选值：{1}）',
  '{0} (default: {1})': '{0}（默认：{1}）',
  '{0} (choices: {1}; default: {2})': '{0}（可选值：{1}；默认：{2}）',
  none: '无',
  'every name': '任何名称',
  'show the change of each figure against an earlier result of --json': '显示各数字相对于先前 --json 结果的变化',
  '--compare: there is no file {0}': '--compare：没有文件 {0}',
  'Generate shell completion scripts': '生成 shell 补全脚本',
  'shell type (choices: "zsh", "bash", "fish", "powershell")': 'shell 的类型（可选值：zsh、bash、fish、powershell）',
  'there is no such file': '没有这个文件',
  'its path contains a NUL character': '路径中含有 NUL 字符',
  'serve a stand-in S3 store instead, whose bytes are in a folder': '改为提供 S3 替身，其数据放在一个文件夹中',
} as const
