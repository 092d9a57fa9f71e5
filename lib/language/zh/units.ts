/** Messages of lib/units and of the commands prepare, generate and assemble. */
import type { Catalogue } from '../template.js'

export const units: Catalogue = {
  'waits for results: {0} planned without one (--units-ahead)': '等待结果：已计划而没有结果的有{0}（--units-ahead）',
  'wait while so many planned units have no result; no limit': '当这么多已计划的单元没有结果时等待；默认不限',
  '{0} does not exist: give the directory that kun-stream prepare RECIPE --out DIR wrote':
    '{0} 不存在：请给出 kun-stream prepare RECIPE --out DIR 写入的目录',
  '{0} is a file: give the directory that kun-stream prepare RECIPE --out DIR wrote':
    '{0} 是一个文件：请给出 kun-stream prepare RECIPE --out DIR 写入的目录',
  "{0} is not the id of a unit: six digits, '-' and 20 hexadecimal digits":
    "{0} 不是单元 id：应为六位数字、'-' 和 20 位十六进制数字",
  'it ends inside a block': '文件在一个块的中间结束',
  'it is not a unit file': '它不是单元文件',
  'it has format {0}': '它的格式版本是 {0}',
  'its last line is not complete': '最后一行不完整',
  'the unit file {0} cannot be read: {1}. Run `kun-stream prepare` again: it makes the file again':
    '无法读取单元文件 {0}：{1}。请再次运行 `kun-stream prepare`，它会重新生成该文件',
  'it names cut {0}': '它标的提交批次是 {0}',
  '{0} is damaged: line {1}: {2}. {3}': '{0} 已损坏：第 {1} 行：{2}。{3}',
  'Run `kun-stream prepare` again with the same recipe: it makes the plan again':
    '请用同一配方再次运行 `kun-stream prepare`，它会重新生成计划',
  '{0} is damaged: the number of its lines is {1}, and {2} says {3}. {4}':
    '{0} 已损坏：它的行数是 {1}，而 {2} 记的是 {3}。{4}',
  '{0} is damaged: it ends within a line. {1}': '{0} 已损坏：它在一行的中间结束。{1}',
  'the plan file {0}/{1} is damaged: it and those after it are made again':
    '计划文件 {0}/{1} 已损坏：将重新生成它和它之后的计划文件',
  '{0}/{1} is damaged: it is made again': '{0}/{1} 已损坏：将重新生成',
  'Delete it: the next process that opens the servers writes it again': '请删除它：下一个打开服务器的进程会重新写入',
  'Restore it from a backup': '请从备份恢复',
  'Delete it and generate the unit again': '请删除它，并重新生成该单元',
  'Delete it': '请删除它',
  '{0} is damaged. {1}': '{0} 已损坏。{1}',
  'it is of unit {0}': '它属于单元 {0}',
  '{0}/{1}: {2}': '{0}/{1}：{2}',
  'it has {0} bytes, {1} were committed': '它有 {0} 字节，提交时是 {1} 字节',
  '{0} is damaged: {1}. The unit must be generated again': '{0} 已损坏：{1}。该单元必须重新生成',
  'the unit has no block': '该单元没有块',
  'the unit file {0}/{1} is missing or damaged: it and those after it are made again':
    '单元文件 {0}/{1} 缺失或已损坏：将重新生成它和它之后的单元文件',
  '{0} holds a run that is not divided into units: finish it with `run`, or use another directory':
    '{0} 中是一个没有划分为单元的运行：请用 `run` 完成它，或使用其他目录',
  '{0} is prepared on {1} in {2}: continue there. If that host is lost, delete {3} and run this command again':
    '{0} 正由 {1} 上的 {2} 准备：请在那里继续。如果该主机已丢失，请删除 {3} 后再次运行此命令',
  '{0} refuses the result of unit {1} as if there were another, and has none; run the command again':
    '{0} 拒绝了单元 {1} 的结果，仿佛已有另一个结果，实际上并没有；请再次运行此命令',
  '{0} is not planned in {1}': '{1} 的计划中没有 {0}',
  '{0} is not planned in {1}: the unit of cut {2} is {3}': '{1} 的计划中没有 {0}：提交批次 {2} 的单元是 {3}',
  'a reply of the unit is missing: the unit must be generated again': '该单元缺少一条回复：该单元必须重新生成',
  '{0} is damaged. Restore it from a backup': '{0} 已损坏。请从备份恢复',
  'it has {0} bytes, the plan says {1}': '它有 {0} 字节，计划中是 {1} 字节',
  'the unit file {0} is damaged: {1}. Run `kun-stream prepare` again: it makes the file again':
    '单元文件 {0} 已损坏：{1}。请再次运行 `kun-stream prepare`，它会重新生成该文件',
  '{0} has no {1}: prepare a recipe there first, with kun-stream prepare RECIPE --out {2}':
    '{0} 中没有 {1}：请先在那里准备一个配方：kun-stream prepare RECIPE --out {2}',
  '{0} was prepared with {1} {2}, this version of kun-stream has {3}: use one version for all units':
    '{0} 是用 {1} {2} 准备的，本版 kun-stream 是 {3}：所有单元请使用同一版本',
  '{0} holds a run with other settings; rows of both cannot be mixed:\n {1}':
    '{0} 中的运行设置不同，两者的行不能混在一起：\n {1}',
  'run.json pins {0} {1}, this process has {2}: use the same files and the same version of kun-stream on every host':
    'run.json 固定的 {0} 是 {1}，本进程是 {2}：请在每台主机上使用相同的文件和同一版 kun-stream',
  '{0} is divided into units: use `generate` and `assemble`, or another directory':
    '{0} 已划分为单元：请使用 `generate` 和 `assemble`，或使用其他目录',
  'the unit is already generated: {0}': '该单元已生成：{0}',
  '{0}: {1} ({2})': '{0}：{1}（{2}）',
  'unit {0} is generated': '单元 {0} 已生成',
  'unit {0} failed: {1}': '单元 {0} 失败：{1}',
  'unit {0} is planned: {1}': '单元 {0} 已列入计划：{1}',
  '{0} planned, {1} in all: {2}': '本次列入计划 {0}，总计 {1}：{2}',
  'Next: {0}': '下一步：{0}',
  '{0} of this call, {1} by others, {2} failed': '本次生成 {0}，其他进程生成 {1}，失败 {2}',
  '--part is {0}: give the number of the part and of all parts, such as 3/8':
    '--part 是 {0}：请给出分块序号和总数，例如 3/8',
  '--unit and --part cannot be combined': '--unit 和 --part 不能同时使用',
  'rowsMax is reached: the remaining units are not needed': '已达到 rowsMax：不再需要其余单元',
  'a second signal stops immediately': '再次发送信号会立即停止',
  '{0}: waiting for the requests in flight; a second signal stops immediately':
    '{0}：等待在途请求完成；再次发送信号会立即停止',
  '--out is required: {0} is not a directory': '需要 --out：{0} 不是目录',
  '{0}: {1} of {2}, {3}': '{0}：{1}，共 {2}，{3}',
  'the next unit, {0}, has no result': '下一个单元 {0} 还没有结果',
  'the results of {0} were damaged and dropped: run generate again': '{0} 的结果已损坏并被删除：请再次运行 generate',
  'the plan is not complete': '计划尚未完成',
  'divide a run into units, which many processes and hosts can generate: docs/scale.md':
    '把一次运行划分为单元，由多个进程和主机生成：docs/scale.md',
  'generate the units of a prepared run; several processes may work on one directory':
    '生成已准备好的运行的单元；多个进程可以同时处理一个目录',
  'make the dataset from the generated units, byte for byte that of one run':
    '用生成的单元组成数据集，与单次运行逐字节相同',
  'directory or s3://bucket/prefix for the units, in place of output.dir':
    '单元所在的目录或 s3://bucket/prefix，代替 output.dir',
  'local directory of a bucket: its log of duplicates, its lock; output.dir by default':
    '存储桶对应的本地目录：存放去重日志和锁；默认是 output.dir',
  'call no model server: the first worker pins what the servers can do':
    '不调用模型服务器：由第一个工作进程固定服务器的能力',
  'directory or s3://bucket/prefix that prepare wrote': 'prepare 写入的目录或 s3://bucket/prefix',
  'generate this unit only (repeatable)': '只生成这个单元（可重复）',
  'generate every n-th unit, from the k-th: 3/8': '从第 k 个开始，每 n 个单元生成一个：3/8',
  'run directory of the dataset; the directory itself by default': '数据集的运行目录；默认就是该目录',
  'the dataset is complete': '数据集已完成',
  'Units: {0} of {1} are generated ({2} %), {3}': '单元：已生成 {0} / {1} 个（{2} %），{3}',
  '  the plan is not complete: kun-stream prepare continues it': '  清单尚不完整：用 kun-stream prepare 继续',
  '  {0} without a result: {1} failed': '  {0}没有结果：失败了{1}',
  '  {0} units an hour, {1} a unit': '  每小时 {0} 个单元，每个用时 {1}',
  '  {0} units an hour, {1} a unit, about {2} left': '  每小时 {0} 个单元，每个用时 {1}，约剩 {2}',
}
