/** Recognises what asks for nothing: a sentence that states something, a list of topics, words about a text. */

/** Longer texts have a request somewhere; an instruction of one sentence is short. */
const charsMax = 200

/** Words of a question or request anywhere. */
const asks =
  /[？?：:《》“”"`=+]|[请吗呢么谁啥哪帮教试求]|如何|为何|何时|何种|何处|有何|几[个种条次年天]|怎|什么|为啥|多少|多久|多大|多高|多远|是否|能否|可否|有没有|是不是|会不会|要不要|能不能|好不好|可不可以|还是|麻烦|劳驾|给我|给出|给一|我想|我要|我该|想要|想知道|希望|推荐|不超过|不少于|字以内|左右|要求|例如|比如|以及其|以.{1,12}为(?:题|主题|背景|例|开头|标题)/u

/** Verbs that open a request: 写一首诗, 用Python实现, 列出三种. At the start of a clause, after adverbs. */
const verbs =
  /^(?:首先|先|再|然后|接着|最后|并且|并|而且|且|同时|再次|尽量|简要地?|简单地?|详细地?|具体地?|分别|逐一|仔细|认真|尽可能|快速|准确地?|用心|一起|现在|另外|此外|注意|不要|不能|不得|别|无需|可以|可|要)*(?:[写用把将对从按列选找画译改编拟说谈讲答算解证查读看听背抄填取给做比举造想删补标排评论述析释][^。，]|以[^。，]|根据|依据|按照|基于|结合|通过|围绕|针对|关于|就|为|替|向|在|介绍|说明|描述|分析|解释|阐述|论述|概括|概述|总结|归纳|简述|详述|评价|评论|点评|比较|对比|区分|区别|计算|证明|推导|翻译|润色|修改|校对|续写|扩写|缩写|仿写|生成|创作|创建|设计|构建|构造|构思|制作|制定|编制|起草|撰写|实现|开发|提供|提出|提取|列举|罗列|整理|分类|判断|识别|检测|预测|估计|模拟|假设|假如|想象|回答|解答|完成|解决|讨论|探讨|展示|演示|转换|转化|替换|简化|优化|检查|检索|搜索|查找|确定|确认|安排|规划|策划|组织|准备|命名|朗诵|默写|背诵|复述|讲述|叙述|扮演|充当|作为|你是|你现在|假定|使用|利用|运用|采用|输入|输出|打印|返回|删除|添加|增加|插入|合并|拆分|排序|统计|调查|研究|研读|鉴赏|赏析|解读|剖析|反驳|论证|推测|推断|猜|继续|开始|尝试|考虑|思考|分享|告诉|告知|聊|谈论)/u

/** Clauses that end as a title of a request does: …的区别, …的步骤. */
const topics =
  /(?:区别|不同|异同|步骤|方法|办法|做法|技巧|攻略|教程|流程|方案|计划|原因|理由|意义|作用|影响|优缺点|特点|特征|原理|定义|含义|意思|概念|用法|写法|例子|示例|代码|程序|函数|脚本|简介|介绍|说明|分析|解析|总结|概述|赏析|评价|评论|推荐|翻译|作文|文章|报告|论文|故事|诗|诗歌|文案|标题|口号|邮件|信|演讲稿|对策|措施|建议|清单|列表|比较|对比|发展|历史|现状|趋势)[。！!]?$/u

/** Marks of a finished statement. */
const states =
  /[了着过是有在会能将被使令由于因就都也很最更已曾把比为]|[\u4e00-\u9fff]{2,}(?:增长|下降|发展|成为|位于|富含|含有|适合|盛产|起源|分布|属于|来自|认为|表示|指出|发现|存在|出现|形成|产生|保持|具有)/u

/** Whether a text is a sentence that states something in place of a request, or announces a text. */
export function isStatement(instruction: string): boolean {
  const text = instruction.trim()
  if (text.length > charsMax) return false
  if (announcesText.test(text) || isTitle.test(text)) return true
  if (asks.test(text)) return isRemark.test(text) && !/[？?请]|怎|如何|什么|吗/u.test(text)
  if (defines.test(text)) return true
  const clauses = text.split(/[，。；！,;!\n]/u).filter((clause) => clause.trim() !== '')
  if (clauses.some((clause) => verbs.test(clause.trim()))) return false
  if (clauses.length >= listedMin && clauses.every((clause) => isTopic(clause))) return true
  if (topics.test(text)) return false
  const ends = /[。！!]$/u.test(text)
  // A phrase without a stop may be the title of a request: 竹子的养护.
  return (
    (ends || clauses.length > 1) &&
    text.length >= statementCharsMin &&
    ((ends && clauses.length > 1) || states.test(text))
  )
}

/** 酱牛肉的关键是先把牛腱子泡去血水，…。 */
const defines =
  /^[^，。；请写]{2,16}(?:的)(?:关键|方法|原因|特点|作用|好处|秘诀|要点|本质|目的|做法|优点|缺点|特征|原理)(?:就|主要)?(?:是|在于|有)(?!什么|谁|哪|否|怎)[^？?]{4,}[。！!]$/u

/** Topics of a list: 月食的成因，月食的过程，月食的观看。 */
const listedMin = 3
const statementCharsMin = 10

function isTopic(clause: string): boolean {
  const bare = clause.trim()
  return bare.length <= 12 && /^[^了着过是在会能将被]{1,6}[的与和之][^了着过是在会能将被]{1,6}$/u.test(bare)
}

/** 浅谈小学语文课堂中的情境教学, 第三章 流体力学基础, 2021年度安全生产工作总结. */
const isTitle =
  /^(?:浅谈|浅析|浅议|浅论|试论|试析|略论|略谈|刍议|漫谈)[^？?。！]{4,40}$|^第[一二三四五六七八九十\d]{1,3}[章节讲课篇回][\s：:、][^？?。！，]{2,30}$|^(?:19|20)\d\d\s?年(?:度|上半年|下半年|[一二三四]季度)[^？?。！，]{2,24}(?:总结|报告|计划|方案|要点|通知|公报)$/u

/** 以下是一篇关于竹子的文章。 · 这段文字介绍了竹子。 */
const announcesText =
  /^(?:以下|下面|这|本|该|此|上面|上述)(?:文|段|篇)?(?:就)?是(?:一|关于|对|有关)[^，。？]{0,40}(?:文章|文字|文本|内容|段落|新闻|短文|介绍|故事|说明|报道|资料|材料|对话|回答|诗|散文|指南|教程)[。！：:]?$|^(?:本文|该文|此文|这篇文章|这段文字|这段话|文章|文字|原文|作者)(?:主要|详细|简要|重点|从|通过|分别)?[^，。？]{0,16}(?:介绍|讲述|讲解|描述|说明|阐述|论述|分析|探讨|叙述|讲)了?[^？]{0,80}[。！]?$/u

/** A remark with a word that a request could have: 我觉得还可以吧。 */
const isRemark =
  /^(?:我(?:觉得|认为|感觉|也|很|真)|谢谢|感谢|太好了|真好|不错|今天|昨天|大家好)[^？?]{2,60}[吧啊呀了。！!]{1,2}$/u
