/** Meanings of the fields of a recipe, for docs/recipe.zh.md. */
export const recipeFields = {
  'Name of the run and of its dataset': '运行及其数据集的名称',
  'Seed of the run; the seed of a request derives from it, the record, the stage and the attempt':
    '运行的种子；每个请求的种子由它、记录、阶段和尝试次数推导',
  'Split that the rows of this source belong to; several sources may share one, with a `name` each':
    '此来源的数据行所属的数据划分；多个来源可共用一个，各自须有 `name`',
  'Name of the source in the column `source` and before the path in `shard`; the split by default':
    '来源的名称，写入列 `source`，并加在 `shard` 的路径之前；默认与数据划分同名',
  'Field names of a known corpus (docs/sources.md); `text`, `id` and `title` override them':
    '已知语料的字段名（docs/sources.md）；`text`、`id`、`title` 优先于它',
  'Globs, relative to the working directory, the repository or the run (there `data/*.parquet` by default), or s3://bucket/glob (docs/s3.md); one or a list; `!` excludes; `-` reads standard input':
    '通配模式，相对于工作目录、仓库或运行（运行中默认为 `data/*.parquet`），或 s3://bucket/glob（docs/s3.md）；一个或一组；`!` 表示排除；`-` 读取标准输入',
  'Dataset on the Hub, whose shards run.json pins by content; without it the files are local':
    'Hub 上的数据集，run.json 按内容固定其分片；不填则读取本地文件',
  'Run directory whose texts are read again, as a further round: the column `raw`, unless `text` names another':
    '运行目录，其文本作为下一轮的输入重新读取：取列 `raw`，除非 `text` 指定了别的列',
  'Branch, tag or commit; `main` by default; run.json pins the commit':
    '分支、标签或提交；默认 `main`；run.json 固定具体提交',
  'Environment variable with a token of the Hub': '存放 Hub 令牌的环境变量',
  'Folder in which whole shards of the Hub are kept': '保存 Hub 整个分片的文件夹',
  'Field of the text; required without a preset or a run; a path (data.content) if no field has that name':
    '正文字段；没有预设且不是读取运行时必填；若没有同名字段，则视为路径（data.content）',
  "Field of the record's id": '记录自身 id 的字段',
  'Field of the title': '标题字段',
  'Kind of its texts, which sets bounds of the filters (docs/filters.md); encyclopedia for the preset wikipedia, else web':
    '文本的类型，决定过滤器的界限（docs/filters.md）；预设 wikipedia 为 encyclopedia，其余为 web',
  'Decompressed bytes of a block: it ends with the first record that reaches this size':
    '一个块解压后的字节数：块在首条达到此大小的记录之后结束',
  'Upper limit of a record; a longer one is rejected while it is read': '一条记录的上限；更长的记录在读取时即被拒绝',
  'Shards that are read concurrently, one block from each in turn': '同时读取的分片数，轮流从每个分片取一个块',
  'interleaved mixes shards of a corpus that is sorted by category; in-order reads one after the other':
    'interleaved 混合各分片，适合按类别排序的语料；in-order 逐个读完',
  'Time limit to decode a row group of Parquet; after it the rest of the shard counts as corrupt':
    '解码 Parquet 一个行组的时限；超时则该分片的其余部分视为损坏',
  'Bytes of Parquet that are read and decoded together; rows that take more are rejected':
    '一起读取并解码的 Parquet 字节数；超过它的行被拒绝',
  'Window of a zstd frame, held in memory per open shard; 2GiB for shards made with zstd --long=31':
    'zstd 帧的窗口，每个打开的分片各占一份内存；用 zstd --long=31 压缩的分片需要 2GiB',
  'Attempts of one request before the run stops, resumable': '一个请求尝试多少次之后运行停止（可续跑）',
  'Longest wait that the Hub may ask for; a longer one stops the run, resumable':
    'Hub 可要求的最长等待；更长则运行停止（可续跑）',
  'First wait after a failure; doubled after each further one': '首次失败后的等待；此后每次加倍',
  'Upper limit of these waits': '上述等待的上限',
  'Timeout for a connection': '建立连接的超时',
  'Timeout from a request to the headers of its response': '从发出请求到收到响应头的超时',
  'Timeout between two chunks of a body': '响应体两段数据之间的超时',
  'Connections to one host': '到一台主机的连接数',
  'API requests per window; a free account may send 1,000 in 5 minutes':
    '每个时间窗内的 API 请求数；免费账号 5 分钟内可发 1,000 个',
  'File requests per window; a free account may send 5,000 in 5 minutes':
    '每个时间窗内的文件请求数；免费账号 5 分钟内可发 5,000 个',
  'Length of the window of both limits': '上面两项限制的时间窗长度',
  'Worker threads; auto is one fewer than there are cores, at least one': '工作线程数；auto 为核数减一，至少为 1',
  'Whether files on disk are read, decompressed and hashed in a thread of their own; auto does so from 12 cores on':
    '磁盘上的文件是否由单独的线程读取、解压并计算哈希；auto 从 12 核起启用',
  'Threads for duplicates: 0 is the main one, 1 another, 2 a further one for the log, 3 to 34 divide the tables of the index over those beyond two; auto goes by the cores':
    '去重用的线程：0 在主线程，1 用一个单独的线程，2 再为日志加一个，3 到 34 把索引的表分给其余的线程；auto 按核数决定',
  "Old space of a thread's heap; a thread that needs more crashes and its record is rejected":
    '线程堆的老生代大小；超出的线程会崩溃，其记录被拒绝',
  'Records that may crash a thread before the run stops': '运行停止之前，允许多少条记录使线程崩溃',
  'Time limit of a thread for a block, then for each record alone, which is rejected after it':
    '线程处理一个块的时限；超时后逐条处理，每条记录也用此时限，超过即被拒绝',
  'Tokens of a chunk, inclusive': '一个片段的词元数，含两端',
  'Characters (UTF-16 units) of a chunk; a shorter one is rejected': '一个片段的字符数（UTF-16 单元）；更短的被拒绝',
  "Model family whose tokens are estimated; auto: that of the label model's name; server: fitted to /tokenize of its server":
    '按哪个模型家族估计词元数；auto：取标注模型名所属的家族；server：按其服务器的 /tokenize 拟合',
  'Minimum characters of a document; false disables the filter': '文档的最少字符数；false 关闭此过滤器',
  'Maximum characters of a document; false disables the filter': '文档的最多字符数；false 关闭此过滤器',
  'Minimum share of Chinese characters; false disables the filter': '汉字的最低占比；false 关闭此过滤器',
  'Maximum share of symbols; false disables the filter': '符号的最高占比；false 关闭此过滤器',
  'Maximum share of digits; false disables the filter': '数字的最高占比；false 关闭此过滤器',
  'Maximum share of characters in URLs; false disables the filter': 'URL 中字符的最高占比；false 关闭此过滤器',
  'Maximum share of boilerplate lines; false disables the filter': '模板化行的最高占比；false 关闭此过滤器',
  'Maximum share of characters decoded with the wrong character set; false disables the filter':
    '因字符集错误而成为乱码的字符的最高占比；false 关闭此过滤器',
  'Maximum share of characters in escapes such as \\u4e2d or &#20013;; false disables the filter':
    '转义序列（如 \\u4e2d 或 &#20013;）中字符的最高占比；false 关闭此过滤器',
  'Maximum share of kana and hangul among them and Chinese characters; false disables the filter':
    '假名和谚文在它们与汉字总数中的最高占比；false 关闭此过滤器',
  'Maximum share of rare among Chinese characters; false disables the filter':
    '生僻字在汉字中的最高占比；false 关闭此过滤器',
  'Minimum characters of a text that breaks off at a link to the rest; false disables the filter':
    '在“阅读全文”链接处中断的文本的最少字符数；false 关闭此过滤器',
  'Maximum weight of gambling cues per 300 characters; false disables the filter':
    '每 300 个字符中赌博特征的最高权重；false 关闭此过滤器',
  'Maximum weight of cues of sexual offers per 300 characters; false disables the filter':
    '每 300 个字符中色情服务特征的最高权重；false 关闭此过滤器',
  'Maximum weight of advertising cues per 300 characters; false disables the filter':
    '每 300 个字符中广告特征的最高权重；false 关闭此过滤器',
  'Maximum weight of cues of text for search engines per 300 characters; false disables the filter':
    '每 300 个字符中为搜索引擎拼凑的文本特征的最高权重；false 关闭此过滤器',
  'Maximum weight of forum cues per 300 characters; false disables the filter':
    '每 300 个字符中论坛特征的最高权重；false 关闭此过滤器',
  'Maximum share of characters inserted between others (separators, sounds in brackets); false disables the filter':
    '插在其他字符之间的字符（分隔符、括号中的注音）的最高占比；false 关闭此过滤器',
  'Maximum share of characters in runs of one character; false disables the filter':
    '同一字符连续重复的部分的最高占比；false 关闭此过滤器',
  'Maximum telephone numbers and e-mail addresses per 100 characters; false disables the filter':
    '每 100 个字符中电话号码和电子邮件地址的最多个数；false 关闭此过滤器',
  'Maximum share of characters in rows of tables and logs; false disables the filter':
    '表格行和日志行中字符的最高占比；false 关闭此过滤器',
  'Maximum share of characters in lines of links and menus; false disables the filter':
    '链接行和菜单行中字符的最高占比；false 关闭此过滤器',
  'Maximum share of a repeated keyword, in texts of at most 600 characters; false disables the filter':
    '重复关键词的最高占比，用于不超过 600 个字符的文本；false 关闭此过滤器',
  'Minimum share of function words, unless there are sentences or verses; false disables the filter':
    '虚词的最低占比，有完整句子或诗句的文本除外；false 关闭此过滤器',
  'Minimum score of the built-in classifier, 0 to 1; false disables the filter':
    '内置分类器的最低分，0 到 1；false 关闭此过滤器',
  'Maximum share of repeated lines; false disables the filter': '重复行的最高占比；false 关闭此过滤器',
  'Maximum share of characters in repeated n-grams; false disables the filter':
    '重复 n-gram 中字符的最高占比；false 关闭此过滤器',
  'Identity numbers, bank cards, telephone numbers, e-mail addresses, QQ and WeChat accounts in documents: keep them, mask each as 〔电话〕 or the like, or drop the document':
    '文档中的身份证号、银行卡号、电话号码、电子邮件地址、QQ 号和微信号：保留，逐个替换为〔电话〕等标记，或丢弃整篇文档',
  'Personal data per thousand characters, above which a document with two or more is dropped unless `personal` is keep; false disables the bound':
    '每千个字符中个人信息的数量；超过它且有两处以上的文档被丢弃，`personal` 为 keep 时除外；false 关闭此界限',
  'CSV, TSV, JSON Lines, JSON or Parquet files with test items, by globs; run.json pins their content':
    '含测试题的 CSV、TSV、JSON Lines、JSON 或 Parquet 文件，用通配模式给出；run.json 固定其内容',
  'Fields with the text of an item, each compared by itself; by default the first of question, problem, prompt, instruction, query, input, text, 题目, 问题':
    '题目文本所在的字段，各自单独比较；默认取 question、problem、prompt、instruction、query、input、text、题目、问题 中首先出现的一个',
  'Letters and digits of an n-gram; an item with fewer is too general to be looked for':
    '一个 n-gram 的字母、汉字和数字个数；更短的题目过于笼统，不作比较',
  'Least share of the n-grams of an item that a text has': '文本至少含有题目 n-gram 的多大比例才算命中',
  'Modules with custom filters, run in workers; run.json pins their content':
    '自定义过滤器的模块，在工作线程中运行；run.json 固定其内容',
  'Path of a tokenizer.json for exact token counts; estimated without it':
    'tokenizer.json 的路径，用于精确计算词元数；不填则估计',
  'Path of a classifier that `kun-stream train-screen` wrote': '由 `kun-stream train-screen` 写出的分类器的路径',
  'Score of the classifier below which a chunk is dropped': '分类器的分数低于它的片段被丢弃',
  'Drops texts that are equal in letters and digits': '丢弃字母、汉字和数字完全相同的文本',
  'Drops texts that are nearly equal; false disables it': '丢弃近似重复的文本；false 关闭',
  'Jaccard similarity of the shingle sets from which on a text is a near-duplicate':
    'shingle 集合的 Jaccard 相似度达到它即为近似重复',
  'Characters of a shingle': '一个 shingle 的字符数',
  'Signature length: a longer one estimates better and costs time and one byte per kept document':
    '签名长度：越长估计越准，每篇保留的文档多用一个字节，也更费时',
  'Seed of the hash functions': '哈希函数的种子',
  'exact verifies every hit; bloom takes a sixth of the memory; auto is exact up to indexBytesMax':
    'exact 逐个核实命中；bloom 只用六分之一的内存；auto 在 indexBytesMax 以内用 exact',
  'Memory limit of an exact index under auto': 'auto 时 exact 索引的内存上限',
  'Earlier runs, or their index files: texts that they kept are dropped':
    '以前的运行，或其索引文件：它们保留过的文本会被丢弃',
  'Name under which the server serves the model; builtin-extractive for the built-in server':
    '服务器提供该模型时所用的名称；内置服务器为 builtin-extractive',
  'Base URLs of the servers, with /v1; builtin alone: a stand-in server that needs no GPU; or { file: … } with a list that may change':
    '服务器的基础地址，含 /v1；单独写 builtin 表示不需要 GPU 的替身服务器；或 { file: … }，即可以变动的地址列表',
  'Text file with one URL a line, read again every 3 s: servers are added and removed during the run':
    '每行一个地址的文本文件，每 3 秒重新读取：服务器可在运行中增减',
  'Headers of every request; a value may be env:NAME': '每个请求的头部；值可写成 env:NAME',
  'Environment variable with the key, sent as Authorization: Bearer':
    '存放密钥的环境变量，以 Authorization: Bearer 发送',
  'Arguments of the chat template, such as { enable_thinking: false }':
    '对话模板的参数，例如 { enable_thinking: false }',
  "Fields added to every request's body": '加入每个请求体的字段',
  'Requests streamed replies, for proxies that close silent connections': '以流式接收回复，用于会切断静默连接的代理',
  'Upper limit of concurrent requests to one endpoint': '对一个端点同时发出的请求数上限',
  'auto adapts to the server, up to inFlightMax; fixed keeps inFlightMax requests in flight':
    'auto 按服务器的情况调整，不超过 inFlightMax；fixed 始终保持 inFlightMax 个请求',
  'Time limit of one reply, from the request on; does not elapse while the endpoint is down':
    '从发出请求起一个回复的时限；端点不可用的时间不计',
  'Replies requested for one record and stage, each with its own seed, before the record is rejected':
    '一条记录在一个阶段最多要几次回复，每次用不同的种子，之后记录被拒绝',
  'Prompts in one request, for one-token completions at temperature 0':
    '一个请求中的提示词数，用于温度为 0、只生成一个词元的补全',
  'The run stops, resumable, after a model had no working endpoint for longer than this':
    '一个模型没有可用端点的时间超过它，运行即停止（可续跑）',
  'Time that a server may take to accept connections at the start; after it the run fails':
    '启动时等待服务器接受连接的时间；超过即失败',
  'A call that waited longer is sent before calls of later stages': '等待时间超过它的调用，优先于后面阶段的调用',
  'Which defaults the fields of the stages have: paper, those of the published scripts (docs/prompts.md)':
    '各阶段字段的默认值：paper 为论文公开脚本所用的值（docs/prompts.md）',
  'The name of one of the models above': '上面模型之一的名称',
  'Perplexity of the text above which a chunk is dropped: broken or odd text':
    '文本的困惑度高于它的片段被丢弃：残缺或异常的文本',
  'Perplexity below which a chunk is dropped: text that repeats itself': '困惑度低于它的片段被丢弃：自我重复的文本',
  'Grade of the text below which a chunk is dropped': '文本的评分低于它的片段被丢弃',
  'logprob reads the probabilities of 好 and 差; written the word; auto the first where the server can; published: has 【好】 and not 【差】':
    'logprob 读取“好”和“差”的概率；written 读取写出的字；auto 在服务器支持时用前者；published 看是否含【好】且不含【差】',
  'Probability of 好 and 差 together below which a record is dropped: the judge does not keep to the format':
    '“好”与“差”的概率之和低于它的记录被丢弃：评审模型没有按格式回答',
  "A template's name, one's own, or a file": '模板名称、自己的模板，或文件',
  'The prompt; {text}, {instruction}, {title} and {heading} stand for the fields of the record':
    '提示词；{text}、{instruction}、{title}、{heading} 代表记录的字段',
  'Goes to the prompt_version column; a hash of the rest when absent': '写入列 prompt_version；不填则为其余内容的哈希',
  'Which endpoint: chat/completions or completions': '使用哪个接口：chat/completions 或 completions',
  'A system message before it; chat only': '放在前面的系统消息；仅用于 chat',
  'Texts at which the reply ends': '回复遇到这些文本即结束',
  'A JSON file with the prompt, relative to the working directory; paper-prompts writes such files':
    '含提示词的 JSON 文件，相对于工作目录；paper-prompts 会写出这样的文件',
  'sha256 that the file must have; filled in when a run starts': '文件必须具有的 sha256；运行开始时填入',
  'Sampling fields as the server knows them, over those of the preset; null leaves a field out':
    '采样参数，名称与服务器的相同，优先于预设；null 表示不发送该字段',
  'Instructions asked for each chunk': '每个片段请求多少条指令',
  'Kinds of instructions, each in turn from one that the id of the chunk decides; all where variants is over 1; [] for none':
    '指令的类型，从由片段 id 决定的一个开始轮流使用；variants 大于 1 时默认全部；[] 表示不用',
  'Of a reply with several instructions: the first alone, or each as a variant of its own':
    '一个回复含多条指令时：只取第一条，或每条各成为一个变体',
  'Instructions read from one reply with severalInstructions: variants; the rest is one reject':
    'severalInstructions: variants 时从一个回复读取的指令数；其余合为一条拒绝记录',
  'extract: a text with one exam question is its question and answer, without a call; label: as any text':
    'extract：只含一道考题的文本直接取其题目和答案，不调用模型；label：与其他文本相同',
  "A template's name, one's own, or a file; label-kun by default where the model is m-a-p/Kun-LabelModel":
    '模板名称、自己的模板，或文件；模型为 m-a-p/Kun-LabelModel 时默认 label-kun',
  'repaired: repairs replies, and makes checks of its own; published: cuts them at <|endoftext|> and </s>, looks for keywords in the raw reply, and checks these fields only':
    'repaired：修补回复并做自己的检查；published：在 <|endoftext|> 和 </s> 处截断，在原始回复中查找关键词，只检查这些字段',
  'An instruction with one of these words is dropped': '含有其中任一词语的指令被丢弃',
  'Characters an instruction has at least': '指令至少的字符数',
  'Characters an instruction has at most': '指令至多的字符数',
  'Share of Chinese characters among its letters': '文字中汉字的占比',
  'Drop an instruction that points at what its reader cannot see': '丢弃指向读者看不到的内容的指令',
  'Personal data in the instruction: keep it, mask each as 〔电话〕 or the like, or drop the pair after one retry':
    '指令中的个人信息：保留，逐个替换为〔电话〕等标记，或重试一次后丢弃该指令对',
  'Score below which a pair is dropped': '评分低于它的指令对被丢弃',
  'rewrite: the text as an answer; distil: an answer from the knowledge of the model; raw: the text itself, no call':
    'rewrite：把原文改写为回答；distil：由模型凭自身知识回答；raw：原文本身，不调用模型',
  'Tokens of text and instruction together, beyond which the instruction is cut; absent: no limit':
    '原文与指令合计的词元数，超过则截短指令；不填则不限',
  'Cut the instruction at 5 blanks, or to a line that it repeats, after the answer is written':
    '在写出回答之后，把指令在第 5 个空白处截断，或截到出现重复行为止',
  'An output with one of these words is dropped': '含有其中任一词语的输出被丢弃',
  'Characters an output has at least': '输出至少的字符数',
  'Drop an output that starts with one unit more than 5 times in a row': '丢弃开头连续重复同一单元超过 5 次的输出',
  'Personal data in the output: keep it, mask each as 〔电话〕 or the like, or drop the pair after one retry':
    '输出中的个人信息：保留，逐个替换为〔电话〕等标记，或重试一次后丢弃该指令对',
  'Share of the content of an output that its text has, too': '输出的内容中同样见于原文的占比',
  'Share of the numbers and Latin names of an output that its text has, too':
    '输出的数字和拉丁名称中同样见于原文的占比',
  'Share of an output in runs of 16 letters of its text': '输出中与原文连续 16 字相同的部分的占比',
  'Letters of an output for each letter of its text, at least': '输出字数与原文字数之比的下限',
  'Letters of an output for each of its text, at most': '输出字数与原文字数之比的上限',
  'Grade of "does the output answer the instruction" below which a pair is dropped':
    '“输出是否回答了指令”的评分，低于它的指令对被丢弃',
  'Grade of "does the output follow from the text" below which a pair is dropped':
    '“输出是否依据原文”的评分，低于它的指令对被丢弃',
  'Difficulty above which a pair is dropped; from 1 on the instruction does not help (the paper: 1)':
    '难度高于它的指令对被丢弃；达到 1 表示指令没有帮助（论文取 1）',
  'Difficulty below which a pair is dropped: the instruction gives the answer away':
    '难度低于它的指令对被丢弃：指令已透露答案',
  'Perplexity of the answer alone above which a pair is dropped': '单独回答的困惑度高于它的指令对被丢弃',
  "ifd, or one's own: a completion with {instruction} that ends with {output}":
    'ifd，或自己的模板：含 {instruction}、以 {output} 结尾的 completion',
  'Name of the column, and of the stage in counters and rejects; not that of another column':
    '列名，也是计数和拒绝记录中的阶段名；不能与其他列同名',
  'Stage that it follows; after dedup, perplexity and screen it is asked once for a chunk, else for each pair':
    '在哪个阶段之后；在 dedup、perplexity、screen 之后每个片段请求一次，其余每个指令对一次',
  'enum: one of values; number; json: any JSON value, as text; text: the reply':
    'enum：给定值之一；number：数；json：任意 JSON 值，存为文本；text：回复本身',
  'For enum: the values': '用于 enum：各个值',
  'For number: a smaller one is not a valid reply': '用于 number：更小则不是有效回复',
  'For number: a larger one is not a valid reply': '用于 number：更大则不是有效回复',
  'Drops a record without a valid reply; false writes null': '没有有效回复的记录被丢弃；false 则写 null',
  'A smaller number drops the record': '数更小的记录被丢弃',
  'A larger number drops the record': '数更大的记录被丢弃',
  'Any other value drops the record': '其他值的记录被丢弃',
  'One of these values drops the record': '取这些值之一的记录被丢弃',
  'Drops pairs whose instruction is equal to that of an earlier row of the same cut (exact), or alike: 3-gram similarity from 0.8 (near)':
    '丢弃同一提交批次中指令与前面某行相同（exact）或相近（near：3-gram 相似度达到 0.8）的指令对',
  'Run directory': '运行目录',
  'A cut, the unit that becomes durable, ends at the first block end with this many candidates':
    '提交批次是落盘的单位：候选达到此数后，在最近的块末尾结束',
  'A cut ends after this many blocks, too': '块达到此数时，提交批次也结束',
  'pairs: columns instruction and output; messages: one list of role and content':
    'pairs：列 instruction 和 output；messages：一列由角色和内容组成的消息',
  'Rows per file; a split with more rows in a cut gets several files':
    '每个文件的行数；一个批次中行数更多的数据划分写成多个文件',
  "Uncompressed bytes of a row group; the Hub's viewer accepts less than 100 MB":
    '行组未压缩的字节数；Hub 的查看器只接受小于 100 MB 的行组',
  'Parquet writer library': '写 Parquet 所用的库',
  'zstd (hyparquet-writer), gzip or snappy (parquetjs-lite); by default zstd or gzip':
    'zstd（hyparquet-writer），gzip 或 snappy（parquetjs-lite）；默认 zstd 或 gzip',
  'Blocks, and values made from them, between source and output': '从来源到输出之间的块及由其产生的数据',
  'Finished rows that wait for an earlier one; beyond it they are spilled to a file':
    '等待前面记录的已完成数据行；超过则溢出到文件',
  'Keeps replies after their cut is committed; `replies: discard` is short for false':
    '提交之后仍保留回复；`replies: discard` 是 false 的简写',
  'Run directories whose replies are used before a server is called': '在调用服务器之前先使用这些运行目录中的回复',
  'Rows of the run, exactly: the first ones in input order; a later run with a higher limit or none continues':
    '运行的行数，精确：按输入顺序取最前面的；以后用更高的限额或不设限可继续',
  'Tokens received in one call of run, after which it drains (exit code 3); resumable':
    '一次 run 调用收到的词元数，超过即排空并停止（退出码 3）；可续跑',
  'Hours of one call of run, after which it drains (exit code 3); resumable':
    '一次 run 调用的小时数，超过即排空并停止（退出码 3）；可续跑',
  'Drift detection: stops the run, resumable, when replies change in character; false disables it':
    '漂移检测：回复的性质发生变化时停止运行（可续跑）；false 关闭',
  'Records of the baseline of a stage, and of the window that is compared with it':
    '一个阶段的基准记录数，也是与之比较的窗口大小',
  'Largest fall of the share of records kept, of Chinese, of well-formed replies':
    '保留率、汉字占比、格式正确的回复占比允许的最大降幅',
  'Smallest ratio of such a share to its baseline: half the yield is drift also where it was low':
    '这些占比与基准之比的下限：产出减半也算漂移，即使原本就低',
  'Largest factor by which the mean length may change, either way': '平均长度允许变化的最大倍数，变长变短都算',
  'First records of the run, a split, a stage or a shard that may all be rejected for one reason; false disables the check, also for a run without rows':
    '运行、数据划分、阶段或分片最前面的记录数，若全因同一原因被拒绝则停止；false 关闭此检查，没有数据行的运行也不再报错',
  'Dataset on the Hub, created if missing': 'Hub 上的数据集，不存在则创建',
  'Creates the dataset as private; does not change one that exists': '创建为私有数据集；不改变已有的数据集',
  'Address of the Hub, in place of HF_ENDPOINT or huggingface.co': 'Hub 的地址，代替 HF_ENDPOINT 或 huggingface.co',
  'Environment variable with the token; by default HF_TOKEN or the token file':
    '存放令牌的环境变量；默认 HF_TOKEN 或令牌文件',
  'License of the card: cc-by-4.0, apache-2.0, other; an existing card keeps its own by default':
    '卡片的许可证：cc-by-4.0、apache-2.0、other；已有卡片默认保留原许可证',
  'Consecutive cuts are joined to files of about this size': '相邻的提交批次合并成大约此大小的文件',
  'Publishes files as they are filled; they get their final names at the end': '文件写满即发布；结束时改为最终的名称',
  'Interval at which whileRunning looks for a file that is filled': 'whileRunning 每隔多久查看有没有写满的文件',
  'A folder, s3://bucket/prefix (docs/s3.md), or hub:owner/name, a private dataset, created if missing; run --from-mirror restores the run from it on another machine':
    '文件夹、s3://bucket/prefix（docs/s3.md），或 hub:owner/name（私有数据集，不存在则创建）；run --from-mirror 在另一台机器上由它恢复运行',
  'Interval between copies; replies received after the last copy are requested again':
    '两次复制的间隔；最后一次复制之后收到的回复须重新请求',
  'Command that is started at the end with the exit code and the reason': '结束时启动的命令，附带退出码和原因',
  '`{0}` for this source': '此来源的 `{0}`',
  'Top level': '顶层',
  required: '必填',
  absent: '不填',
  yes: '是',
  no: '否',
  '| field | meaning | allowed | default | alters the output |': '| 字段 | 含义 | 允许的值 | 默认 | 影响输出 |',
} as const
