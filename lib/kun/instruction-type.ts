/** What an instruction asks for, by its words: rough, but the same for every dataset, so that datasets can be compared. */

/** In the order in which they are looked for: the first whose words occur is the type. */
const types = [
  ['translate', /翻译|译成|译为|用(?:英|白话|现代)[语文]/],
  ['code', /代码|函数|编程|程序|脚本|SQL|算法|报错|命令行|正则/i],
  ['calculate', /计算|求(?:出|解|证|值)|等于(?:多少|几)|解(?:方程|下列)|证明/],
  ['compare', /比较|对比|区别|异同|有何不同|有什么不同|差别|优缺点/],
  ['list', /列出|列举|有哪些|哪几[种个类]|举出|哪些/],
  ['steps', /步骤|怎样|怎么(?!看|理解|样看)|如何(?!理解|看待|评价)|方法|做法|流程/],
  ['reason', /为什么|为何|原因|缘由|何以/],
  ['write', /写(?:一|出|篇|首|个|段)|撰写|创作|拟(?:一|定|写)|编写|续写|改写|扩写|起草/],
  ['summarise', /概括|总结|归纳|概述|提炼/],
  ['explain', /解释|说明|阐述|分析|谈谈|论述|理解|评价|看待|讲解|赏析/],
  ['describe', /介绍|描述|讲述|叙述|讲讲|简述/],
  ['fact', /什么|谁|哪[里儿个位年一]|何[时处地人]|多少|几[个次年种]|是否|吗[？?]?$|？|\?/],
] as const

export type InstructionType = (typeof types)[number][0] | 'other'

/** Returns the type of an instruction. Linear in its length. */
export function instructionTypeOf(instruction: string): InstructionType {
  return types.find(([, words]) => words.test(instruction))?.[0] ?? 'other'
}
