/** The card of a dataset. Meanings of reject reasons are in reasons.ts. */
export const card = {
  '## How it was made': '## 制作过程',
  '## What stayed behind': '## 丢弃的内容',
  '## In numbers': '## 统计',
  '## Samples': '## 样例',
  '## Columns': '## 字段',
  '## Limits and biases': '## 局限与偏差',
  '## How to reproduce it': '## 如何复现',
  '## Citation': '## 引用',
  '{0} pairs of a Chinese instruction and its answer. The answers are passages of a corpus. **No language model wrote these instructions**: they come from the built-in extractive writer (key phrases and templates), which shows how kun-stream works. They are no training data.':
    '共 {0} 对中文指令及其回答，回答取自语料中的段落。**这些指令不是语言模型写的**：它们由内置的抽取式生成器用关键短语和模板拼成，只用来演示 kun-stream 如何工作，不能作为训练数据。',
  '{0} pairs of a Chinese instruction and its answer. The answers are passages of a corpus. A language model wrote the instruction that each one answers (instruction back-translation, the Kun method).':
    '共 {0} 对中文指令及其回答，回答取自语料中的段落，每段所回答的指令由语言模型写成（指令回译，即 Kun 方法）。',
  ' Other runs wrote {0} of the rows: what this card tells of models, recipe and funnel is of the last run.':
    '其中 {0} 行由其他运行写入；本卡片中关于模型、配方和漏斗的内容只涉及最后一次运行。',
  '| split | rows |': '| 数据划分 | 行数 |',
  'Made with {0}: texts were cleaned, cut into chunks and deduplicated; a label model wrote an instruction for each chunk; what was not a sound instruction was dropped; a judge graded the pairs; a model polished the answers, and the polished text was checked against the passage.':
    '使用 {0} 制作：先对文本清洗、切块、去重，由标注模型为每个片段写出指令，丢弃不合格的指令，再由评判模型给指令对评分，最后由模型润色回答，并对照原段落检查润色后的文本。',
  files: '文件',
  '{0} at commit {1}': '{0}，提交 {1}',
  '{0}, source {1}': '{0}，来源 {1}',
  '| split | read from | files | bytes |': '| 数据划分 | 读取自 | 文件数 | 字节数 |',
  '{0} Models, prompts and thresholds are in the recipe below.': '{0}模型、提示词和阈值见下文的配方。',
  'What each stage took in and let through': '各阶段进入与通过的数量',
  '| stage | in | out | dropped, by reason |': '| 阶段 | 进入 | 通过 | 丢弃（按原因） |',
  '{0}: {1}': '{0}：{1}',
  'list of {{0}}': '{{0}} 的列表',
  '| column | type | meaning |': '| 字段 | 类型 | 含义 |',
  'The instructions are machine-written and were graded by a machine: expect some that their answer does not fit. Answers repeat the facts, opinions, errors and biases of web text; polishing may have altered facts. Personal data that stands in the sources may stand here. The licences of the source corpora and of the models apply to what was made from them.':
    '指令由机器写成，评分也由机器给出，难免有回答与指令不符之处。回答会重复网络文本中的事实、观点、错误和偏见，润色也可能改变事实。来源中的个人信息可能仍在其中。由来源语料和模型得到的内容受其各自许可的约束。',
  'The same input, recipe and replies give the same bytes with kun-stream {0}; a model server that samples answers differently when asked again.':
    '输入、配方和模型回复相同时，kun-stream {0} 产生的字节也相同；采样的模型服务器再次请求时会给出不同的回复。',
  '# … shortened': '# … 已截短',
  'The method: {0}.': '方法出自 {0}。',
  '| column | {0} |': '| 字段 | {0} |',
  'Rows by grade, in tenths from the value at the head of the column:':
    '按评分统计的行数，以列首数值为起点，每列为十分之一：',
  '| characters | of half the rows | of 90 % | of 99 % |': '| 字符数 | 半数的行 | 90 % 的行 | 99 % 的行 |',
  'Instructions by what they ask for, by their words:': '按措辞统计的指令类型：',
  '| type | rows | share |': '| 类型 | 行数 | 占比 |',
  'Variety of the instructions (distinct character n-grams of all; estimated, ± 3 %): {0}.':
    '指令的多样性（不同字符 n-gram 占全部的比例，估计值，± 3 %）：{0}。',

  // Columns.
  'written by the label model': '由标注模型写成',
  'the passage, polished where the recipe has a polish stage': '原段落；配方有润色阶段时为润色后的文本',
  'the same as a conversation: user, assistant': '同一内容的对话形式：user、assistant',
  'hash of split, shard, offset, chunk and variant: the same in every run':
    '数据划分、分片、偏移、片段和变体的哈希值，每次运行都相同',
  'name of the source in the recipe, which is the split by default': '配方中来源的名称，默认即数据划分名',
  'file of the source, after the name of the source if it has one': '来源的文件；来源有名称时以其开头',
  'place of the document in its shard: bytes of the decompressed file, or the row of a Parquet file':
    '文档在分片中的位置：解压后文件中的字节偏移，或 Parquet 文件中的行号',
  'ordinal of the chunk in its document': '片段在文档中的序号',
  'ordinal of the instruction for this chunk': '该片段的第几条指令',
  "the document's own id, '' when it has none": "文档自身的 id，没有则为 ''",
  "the document's title, '' when it has none": "文档的标题，没有则为 ''",
  'the passage as it stood in the corpus, after cleaning': '语料中的原段落，已清洗',
  'perplexity of the passage by a model': '模型对该段落的困惑度',
  'grade of the text by the judge, 0 to 1': '评判模型对文本的评分，0 到 1',
  'kind and difficulty of the instruction that was asked for; null for an exam':
    '要求写出的指令的种类和难度；试题为 null',
  'label: written by the label model; exam: the question and answer of the text':
    'label：由标注模型写成；exam：文本自带的试题与答案',
  'share of the content of the output that is in its text, 0 to 1': '回答内容中出自原文的比例，0 到 1',
  'share of the numbers and Latin names of the output that are in its text, 0 to 1':
    '回答中的数字和拉丁字母名称出自原文的比例，0 到 1',
  'share of the output in long runs of its text, 0 to 1': '回答中与原文大段相同的部分所占比例，0 到 1',
  'letters of the output for each letter of its text': '回答字数与原文字数之比',
  'grade of the judge: does the output answer the instruction, 0 to 1': '评判模型的评分：回答是否回应了指令，0 到 1',
  'grade of the judge: does the output follow from its text, 0 to 1': '评判模型的评分：回答是否出自原文，0 到 1',
  'instruction-following difficulty: loss of the output after the instruction over its loss alone':
    '指令遵循难度：给出指令后回答的损失与单独回答的损失之比',
  'perplexity of the output alone by a model': '模型对单独回答的困惑度',
  'grade of the instruction by the judge, 0 to 1': '评判模型对指令的评分，0 到 1',
  'how the grade was read: from token probabilities or from the text': '评分的读取方式：由词元概率或由文本',
  'share of probability on the grades that were allowed, 0 to 1': '允许的评分所占的概率，0 到 1',
  "the recipe's names of the models": '配方中模型的名称',
  'name and version of the prompts': '提示词的名称和版本',
}
