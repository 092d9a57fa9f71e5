/** Messages of lib/slurm and of the command submit. */
import type { Catalogue } from '../template.js'

export const slurm: Catalogue = {
  'submit the units of a prepared run that have no result, as arrays of Slurm':
    '把已准备好的运行中还没有结果的单元作为 Slurm 作业数组提交',
  'submit to Slurm (the only engine of this command)': '提交到 Slurm（此命令唯一的引擎）',
  'write the scripts and submit nothing': '只写脚本，不提交',
  'elements that run at the same time, in all arrays': '所有数组中同时运行的元素数',
  'time that one element should take': '一个元素应占用的时间（分钟）',
  'time of one unit; by default that of the results': '一个单元的时间（分钟）；默认取已有结果的平均值',
  'failed attempts after which a unit is set aside': '单元失败多少次后搁置',
  'times that an element which failed is put back': '失败的元素重新排队的次数',
  'option of sbatch: gres=gpu:1 (repeatable)': 'sbatch 的选项：gres=gpu:1（可重复）',
  'start this model server on each node; {port} is free': '在每个节点上启动此模型服务器；{port} 为空闲端口',
  'shared folder for scripts and logs; <where>/slurm by default': '脚本和日志的共享目录；默认为 <where>/slurm',
  '--sbatch {0}: write the option without dashes, such as gres=gpu:1':
    '--sbatch {0}：请写不带短横线的选项，例如 gres=gpu:1',
  '{0} is not installed: run this on a machine of the cluster from which jobs are submitted':
    '没有安装 {0}：请在集群中可以提交作业的机器上运行',
  '{0} failed: {1}': '{0} 失败：{1}',
  'scontrol show config does not name MaxArraySize: arrays cannot be submitted':
    'scontrol show config 没有给出 MaxArraySize：无法提交作业数组',
  'sbatch printed {0} in place of the number of a job': 'sbatch 输出的是 {0}，而不是作业号',
  'the server of --serve cannot be started: {0}': '无法启动 --serve 的服务器：{0}',
  'the server of --serve ended with {0}: {1}': '--serve 的服务器以 {0} 结束：{1}',
  'the server of --serve is not healthy after {0} min: {1}': '--serve 的服务器在 {0} 分钟后仍未就绪：{1}',
  '{0} has {1} submissions; give another --folder': '{0} 中已有 {1} 次提交；请另外指定 --folder',
  '{0}/{1}.json has no element {2}': '{0}/{1}.json 中没有元素 {2}',
  '{0} does not exist': '{0} 不存在',
  '{0} is damaged: remove its folder and submit again': '{0} 已损坏：请删除它所在的目录并重新提交',
  'name the engine: --slurm (for a queue on Redis, see enqueue and worker)':
    '请指定引擎：--slurm（使用 Redis 队列请见 enqueue 和 worker）',
  '{0} is a bucket: give --folder, a folder that all nodes see': '{0} 是存储桶：请用 --folder 指定所有节点都可见的目录',
  '{0} planned: {1} done, {2} in elements that wait or run, {3} set aside, {4} left':
    '已计划 {0}：{1} 个完成，{2} 个在等待或运行的元素中，{3} 个搁置，{4} 个待处理',
  'set aside after too many failed attempts: {0}': '失败次数过多而搁置：{0}',
  'The plan is not complete: submit again once prepare has ended': '计划尚未完成：请在 prepare 结束后再次提交',
  '{0}: {1} elements of up to {2}, not submitted': '{0}：{1} 个元素，每个最多 {2}，未提交',
  'job {0}: {1} elements of up to {2}; squeue -j {3}, logs in {4}/logs':
    '作业 {0}：{1} 个元素，每个最多 {2}；squeue -j {3}，日志在 {4}/logs',
}
