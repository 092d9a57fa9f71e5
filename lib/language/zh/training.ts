/** Messages of lib/training. */
export const training = {
  '{0} names the dataset {1}': '{0} 已将数据集登记为 {1}',
  '{0} is not valid JSON: mend it, or name another file with --dataset-info':
    '{0} 不是有效的 JSON：请修正，或用 --dataset-info 指定另一个文件',
  '{0} is not a dataset_info.json: it is not a JSON object. Name another file with --dataset-info':
    '{0} 不是 dataset_info.json：它不是 JSON 对象。请用 --dataset-info 指定另一个文件',
  '{0} has no committed rows yet: let the run commit a cut, then sample it':
    '{0} 还没有已提交的数据行：请等运行提交一个批次后再抽样',
  '--split is {0}: {1} has no such split; it has {2}': '--split 为 {0}：{1} 中没有该数据划分；它有 {2}',
  '{0} has no pairs: the columns are {1}': '{0} 中没有指令对：其列为 {1}',
  '{0} has no column {1} of numbers, which --by score needs: give --by diversity or --by random, or name one of {2} with --score':
    '{0} 没有数值列 {1}，而 --by score 需要它：请用 --by diversity 或 --by random，或用 --score 指定 {2} 之一',
} as const
