/** Messages of lib/recipe. */
export const recipe = {
  'needs preset ({0}) or text, the name of the field with the text': '需要 preset（{0}）或 text，即正文所在字段的名称',
  'found "variants", but kun.label.filter.reading: published reads a reply as one instruction; use first':
    '值为 "variants"，但 kun.label.filter.reading: published 把每条回复当作一条指令读取；请用 first',
  '{0} is not YAML: {1}': '{0} 不是有效的 YAML：{1}',
  '{0}:1:1 is not a recipe: found {1}, allowed is a map': '{0}:1:1 不是配方：得到 {1}，应为映射',
  '{0}:1:1 resolves more than {1} aliases; write the values out': '{0}:1:1 展开的别名超过 {1} 个；请把值直接写出',
  '--set {0}: allowed is path=value, such as kun.score.keepAtLeast=0.7 or sources[0].split=crawl':
    '--set {0}：应为 path=value，例如 kun.score.keepAtLeast=0.7 或 sources[0].split=crawl',
  '--set {0}: the value is not YAML: {1}': '--set {0}：值不是有效的 YAML：{1}',
  '--set {0}: {1} is {2}, which has no fields': '--set {0}：{1} 为 {2}，没有字段',
  '--set {0}: {1} is a list of {2}, numbered from 0': '--set {0}：{1} 是含 {2} 项的列表，从 0 编号',
  '{0}: {1} has no {2}, which the stage needs': '{0}：{1} 中没有该阶段需要的 {2}',
  '{0} cannot be read: {1}. Give the path of a recipe, as recipes/demo.yaml':
    '无法读取 {0}：{1}。请给出配方的路径，例如 recipes/demo.yaml',
  'no committed part of the run {0} matches {1}: {2}': '运行 {0} 中没有已提交的文件匹配 {1}：{2}',
  '{0}: found {1}, but the environment variable {2} is not set; set it, or remove the field':
    '{0}：得到 {1}，但环境变量 {2} 没有设置；请设置它，或删除此字段',
  'replies.from: {0} has no replies: every call is sent': 'replies.from：{0} 中没有回复：每次调用都会发送',
  'replies.from: {0} is a run in units, whose replies are with the units until it is assembled: run kun-stream assemble {1} first':
    'replies.from：{0} 是按单元划分的运行，组装之前回复保存在各单元中：请先运行 kun-stream assemble {1}',
  'replies.from: {0} does not contain a run, so that every call would be sent: give a run directory, such as out/demo':
    'replies.from：{0} 中没有运行，因此每次调用都会发送：请给出运行目录，例如 out/demo',
} as const
