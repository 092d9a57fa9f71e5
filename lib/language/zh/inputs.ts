/** Checks of the inputs of `run`, `pipe` and `dedup` before and after they are read. */
export const inputs = {
  '--rejects is {0}, a file that {1} matches: name another one':
    '--rejects 是 {0}，它与输入的通配模式 {1} 匹配：请指定另一个文件',
  '--out is {0}, a file that {1} matches: write elsewhere': '--out 是 {0}，它与输入的通配模式 {1} 匹配：请写到别处',
  'standard output is {0}, a file that {1} matches: write elsewhere':
    '标准输出是 {0}，它与输入的通配模式 {1} 匹配：请写到别处',
  'standard output is {0}, which is read: write elsewhere': '标准输出是 {0}，而它也是输入：请写到别处',
  '--rejects is {0}, the same file as {1}: name another one': '--rejects 是 {0}，与 {1} 是同一个文件：请指定另一个文件',
  '--{0} needs --on instruction; of files, what stays goes to standard output: redirect it with > FILE':
    '--{0} 需要 --on instruction；对文件去重时，留下的内容写到标准输出：请用 > FILE 重定向',
  '--{0} cannot be combined with --on': '--{0} 不能与 --on 同时使用',
  '{0}.files: no file can be read: {1}: {2}, {3}; check the path and the files':
    '{0}.files：没有可读的文件：{1}：{2}，{3}；请检查路径和文件',
  '{0}.files: none of the first {1} can be read: {2}: {3}, {4}; check the format of the file':
    '{0}.files：前 {1} 均无法读取：{2}：{3}，{4}；请检查文件格式',
  '{0}.text: none of the first {1} has a text: {2}: {3}; name the field of the text':
    '{0}.text：前 {1} 均没有正文：{2}：{3}；请指定正文字段',
  '{0}.text: none of the first {1} has a text: {2}: {3}; the longest text is in {4}: set text: {5}':
    '{0}.text：前 {1} 均没有正文：{2}：{3}；最长的文本在 {4} 中：请写 text: {5}',
  'none of {0} could be read, the first for: {1}. Name the field of the text with --text':
    '{0} 均无法读取，第一条的原因：{1}。请用 --text 指定正文字段',
  'none of {0} could be read, the first for: {1}. Check the format of the file (docs/shard-formats.md)':
    '{0} 均无法读取，第一条的原因：{1}。请检查文件格式（docs/shard-formats.md）',
  '{0}: no record; the files are empty': '{0}：没有记录，文件为空',
} as const
