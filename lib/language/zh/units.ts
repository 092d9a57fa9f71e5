/** Messages of lib/units. */
import type { Catalogue } from '../template.js'

export const units: Catalogue = {
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
  '{0} is damaged. {1}': '{0} 已损坏。{1}',
  'it is of unit {0}': '它属于单元 {0}',
}
