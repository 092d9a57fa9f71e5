/** Messages of lib/publish. */
export const publish = {
  'Delete it; the next publish builds it again': '请删除它；下一次 publish 会重新生成',
  'Give the place that mirror.to names, or mirror to another one': '请给出 mirror.to 指定的位置，或镜像到别处',
  '{0} of {1} has other columns than this run ({2}), and a dataset has one set of columns: publish to another dataset, or use --replace to delete the existing files':
    '{1} 的 {0} 与本次运行的列不同（{2}），而一个数据集只有一组列：请发布到另一个数据集，或用 --replace 删除已有文件',
  'the YAML at the top of README.md on the Hub cannot be read ({0}): correct it there, then publish again':
    '无法读取 Hub 上 README.md 开头的 YAML（{0}）：请在那里改正后重新发布',
  '{0}/{1} cannot be read as Parquet: {2}': '无法将 {0}/{1} 读作 Parquet：{2}',
  '{0} keeps a column in another file: it was not written by kun-stream':
    '{0} 把某一列存在另一个文件中：它不是由 kun-stream 写入的',
  '{0} became shorter than {1} bytes': '{0} 变得短于 {1} 字节',
  '{0} is not a mirror of a run: give the place that mirror.to names':
    '{0} 不是运行的镜像：请给出 mirror.to 所指的位置',
  '{0} changed while it was copied to the mirror: the next pass copies it again':
    '{0} 在复制到镜像时发生了变化：下一轮会重新复制',
  'the mirror {0} is missing on {1}: was it deleted?': '{1} 上没有镜像 {0}：是否已被删除？',
  'the mirror {0} has another writer: give each run its own mirror': '镜像 {0} 有另一个写入者：请给每次运行各自的镜像',
  '{0} holds a run: restore to an empty directory, or resume the run without the mirror':
    '{0} 中已有运行：请恢复到空目录，或不用镜像直接续跑',
  '{0} holds no mirror yet: check mirror.to of the recipe, or start without it':
    '{0} 中还没有镜像：请检查配方的 mirror.to，或不带它启动',
  'a piece of {0} in the mirror is damaged (its sha256 is not {1}): restore again':
    '镜像中 {0} 的一段已损坏（sha256 不是 {1}）：请重新恢复',
  'The options append and replace of publish are both set: one keeps the data of other runs, one deletes it':
    'publish 的 append 和 replace 同时给出：一个保留其他运行的数据，一个删除它们',
  'The option {0} of publish is {1}: {2}': 'publish 的选项 {0} 为 {1}：{2}',
  '{0} holds no rows yet: run it first, or give the directory of a run (out/…)':
    '{0} 中还没有数据行：请先运行，或给出运行目录（out/…）',
  'the branch {0} of {1} moved {2} times while {3} files were committed: nothing is lost; publish again when no other writer commits':
    '提交 {3} 个文件时，{1} 的分支 {0} 变动了 {2} 次：没有丢失任何内容；请在没有其他写入者时重新发布',
  'the branch {0} of {1} is missing: was the repository deleted?': '{1} 没有分支 {0}：仓库是否已被删除？',
  '{0} was committed to {1} with {2} bytes and sha256 {3}, but the Hub {4}: publish again':
    '{0} 以 {2} 字节、sha256 {3} 提交到 {1}，但 Hub {4}：请重新发布',
  '{0} is not a publish.json of kun-stream. {1}': '{0} 不是 kun-stream 的 publish.json。{1}',
  '{0} holds {1} data files that were not published by this run ({2}): use --append to keep them and add this run, or --replace to delete them':
    '{0} 中有 {1} 个数据文件不是由本次运行发布的（{2}）：用 --append 保留它们并加入本次运行，或用 --replace 删除它们',
} as const
