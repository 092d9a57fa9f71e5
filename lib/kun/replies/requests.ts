/**
 * Words of a request that name no subject: 请根据…说明, 怎样, 主要, 一下. What they leave of an instruction is its subject.
 */

import { WordTable } from './word-table.js'

const requests = `
  请 请你 请您 请问 麻烦 劳驾 帮 帮我 帮忙 给 给我 为我 替我 替 试 试着 尝试 试图 能否 能不能 可以 可否 是否 你能 你 您 我 我们 咱们 大家 想 想要 想问 需要 要 必须 应 应该 应当
  如何 怎样 怎么 怎么样 怎样的 为什么 为何 什么 什么样 哪 哪些 哪个 哪里 哪种 哪项 谁 几 几个 多少 多大 何 何时 何种 是不是 有没有 能 会 可 该怎么 么
  是 有 把 将 对 对于 关于 就 从 由 到 用 使用 利用 运用 采用 以 按 按照 依照 根据 依据 据 结合 通过 参考 参照 基于 针对 围绕 联系 联系实际 仔细 认真 再次 阅读 读 看 看完 读完 看看 观察
  浏览 听 理解 了解 思考 想想 分析 说明 解释 阐述 论述 描述 介绍 概括 概述 总结 归纳 简述 简要 简单 简洁 详细 详述 具体 评价 评论 点评 评析 评述 赏析 鉴赏 分别 逐一 回答 解答 作答 答 完成 填写 填入 填 选择
  选出 选 选取 判断 指出 找出 找 列出 列举 列 举例 举 提取 提炼 摘录 摘抄 抽取 识别 翻译 译 译成 翻译成 翻译为 改写 改写成 改写为 改成 改为 改 修改 润色 校对 检查 批改 续写 续编 续 接着写 继续写 接着 继续 往下写 往下 写下去 下去 顺着 补充完整 扩写 缩写 缩短 仿写 仿照 写 写出 编写
  撰写 拟 起 取 拟定 拟写 制作 生成 创作 设计 编 计算 求 求出 求解 解 解决 证明 推导 化简 比较 对比 区分 区别 排序 分类 归类 整理 补充 补全 补写 完善 纠正 改正 修正 标注 标出 朗读 背诵 默写 转换 转化 转成 转换成 转换为 变成 变为
  谈谈 谈 说说 说 讲讲 讲 聊聊 聊 分享 告诉 表达 体现 反映 认为 觉得 理解 写一写 说一说 谈一谈 想一想 算一算 讲一讲 一下 下 一 一个 一条 一段 一篇 一份 一句 一些 一种 两 三 四 五 个 条 段 篇 份 句 种 点 的 了 着 过 地 得 在 中 里 上 内 和 与 及 并 并且
  而 而且 也 都 还 再 又 先 然后 接着 最后 之后 之前 其 其中 那么 到底 究竟 主要 全面 客观 合理 正确 准确 自己 自己的 语言 用自己的话 话 观点 看法 感受 意见 想法 理由 原因 吗 呢 吧 呀 啊 今年 去年 昨天 今天 明天 前天 刚才 刚刚 上次 之前 最近 前面 年 月 日 时 当 当时 后来 现在 以后 这样 做 做法 办 办法 好 不好 一起 尽量
  复述 转述 讲述 叙述 重述 解读 探讨 讨论 剖析 揣摩 品析 体会 梳理 罗列 陈述 检验 优化 美化 简化 精简 压缩 浓缩 替换 删除 换 换成 换用 换一种 换个 打开 点开 访问
  提供 输出 给出 按要求 要求 字数 不超过 不少于 左右 字 使 让 成 为 出 来 去 没有 不 没 很 最 更 是怎样 是什么 有何 有什么 起到 什么作用 作用 含义 意思 意义`

/** Words that name no subject only where nothing else does: 翻译成英文. */
const targets = `
  别的 其他 更多 例子 方法 办法 说法 方式 句式 语气 角度 版本 风格 一遍 一次 一点 下一步 接下来 例句 示例
  英文 英语 中文 汉语 日语 日文 法语 德语 俄语 韩语 白话文 现代汉语 标题 题目 摘要 大意 提纲 大纲 关键词 关键字 主要内容 中心思想 主旨 要点 内容 问题 下列 以下 上述 下面 上面 以上 反问句 陈述句 感叹句
  疑问句 表格 列表 句子 文章 文字 文本 短文 段落 材料 资料 信息 全文 指令 任务 操作 步骤 结论 结果 答案 回复 故事 诗 诗歌 一首 一则 一道 题 全部 所有 开始 结束 重新 重写 情况 详情 背景 经过 过程 原委 对错 正误 真假 填空 提示 一项 选项 细节 病句 语病 错别字 开头 结尾 结局 后文 下文 后面 剩下 部分 情节 原来 字数 五百 三百 两百 二百 一百 八百 千 百 几百 完整`

export const requestWords = new WordTable(requests)
const emptyWords = new WordTable(`${requests} ${targets}`)

/** Returns what an instruction is about besides the form of its result: 故事, 结尾 and 五百字 are none. */
export function subjectAndResultOf(instruction: string): string {
  return emptyWords.rest(instruction)
}

/** Returns what an instruction is about: the parts that are not words of a request. */
export function subjectOf(instruction: string): string {
  return requestWords.rest(instruction)
}

/** Whether an instruction has nothing but words of a request and of its result: 请翻译成英文。 */
export function namesNothing(instruction: string): boolean {
  return emptyWords.covers(instruction)
}
