/**
 * Removes what chat models write before an instruction or an answer: an opening (好的，), an introduction (以下是根据您提供的文字
 * 写出的指令：), a heading (### 指令), a prefix (用户提问：). Each is recognised by its vocabulary and its end, not by its words in order.
 */

import { WordTable } from './word-table.js'

/** What a reply should be, which decides the nouns of its introduction. */
export type ReplyKind = 'instruction' | 'answer'

/** Characters of a clause or line that may be an introduction. */
const charsMax = 120
/** Openings, headings and prefixes in a row. */
const roundsMax = 5

/** Returns the text after its introductions. Linear: only the first `charsMax` characters of each round are read. */
export function withoutIntroduction(text: string, kind: ReplyKind): string {
  let rest = text.trim().replace(bareOpening, '')
  let opened = false
  // An instruction does not begin with a heading; an answer may.
  if (kind === 'instruction') rest = rest.replace(/^(?:#{1,6}\s{1,4}|>\s{1,4})/u, '').replace(turns, '')
  for (let round = 0; round < roundsMax; round++) {
    // A greeting alone may begin a letter: it goes with the introduction behind it.
    const greeting = greetings.exec(rest)?.[0].length ?? 0
    const behind: number = introductionEnd(rest.slice(greeting), kind) || (opened ? announcedLine(rest) : 0)
    opened ||= behind > 0
    const end = behind === 0 ? 0 : greeting + behind
    if (end === 0) break
    const after = rest
      .slice(end)
      .replace(/^[\s：:，,、。；;！!—–\-*_#]{1,20}(?=\S)/u, (mark) => keptStart(mark))
      .trimStart()
    if (after === '') return /[：:\n]/.test(rest.slice(0, end)) || kind === 'answer' ? '' : rest
    rest = after
  }
  const bare = kind === 'instruction' ? rest.replace(/^(?:👉|➡️?|→|⇒|▶️?|➤|✅|📌|💡|❓)\s{0,4}/u, '') : rest
  return bare.replace(/^[，,、；;：:。．！!]{1,8}\s{0,8}/u, '')
}

/** 好的 on a line of its own. */
const bareOpening = /^(?:(?:&nbsp;\s{0,2}){1,8}|(?:好的?|好嘞|没问题|明白了?|收到|当然(?:可以)?)[ \t]{0,4}\n{1,3})/u

/** 示例四 指令：…, and 答：… before a question or a request. */
const turns =
  /^(?:(?:示例|样例|例)\s?[一二三四五六七八九十\d]{1,2}\s{1,4}(?=[#*【]{0,4}(?:用户)?(?:指令|问题|提问))|(?:答案?|回答|回复|答复|answer|response)\s?[：:]\s{0,4}(?=(?:请|如何|怎|为什么|为何|什么|哪|写|介绍|说明|分析)|[^。\n]{2,120}[？?]\s{0,4}$)|(?:好嘞|好的?|行|嗯)?[，,]?这就(?:给|为)?[您你]?(?:写|反推|生成|给出)(?:一条|出来)?[：:]\s{0,4})/iu

/** Keeps a list or bold mark that belongs to what follows. */
function keptStart(mark: string): string {
  return /(?:^|\s)(-\s|\*\s|\*\*|#{1,6}\s)$/.exec(mark)?.[1] ?? ''
}

/** Returns where the introduction at the start of the text ends; 0 if there is none. */
function introductionEnd(text: string, kind: ReplyKind): number {
  const opening = openings.exec(text)
  // 可以。 answers a question.
  const isAnswer = kind === 'answer' && opening !== null && /^(?:可以|行|嗯)的?[。.]/u.test(opening[0])
  if (opening !== null && !isAnswer) return opening[0].length
  const line = lineOf(text)
  if (line !== null && line.length < text.length && isHeading(line, kind)) return line.length + 1
  const quoting = kind === 'answer' ? (quotesQuestion.exec(text)?.[0].length ?? 0) : 0
  return quoting || bracketedEnd(text, kind) || prefixEnd(text, kind) || sentenceEnd(text, kind)
}

/** 关于“怎样种竹”这个问题，回答如下： */
const quotesQuestion =
  /^(?:关于|对于|针对|就|对)(?:您|你|用户)?(?:的|提出的|所问的)?\s?["“「『][^"”」』\n]{1,100}["”」』]\s?(?:这(?:个|一|道)|的|此|该|一)?(?:问题|提问|指令|话题|疑问|题目)?[，,：:]?\s?(?:我的|以下是|下面是|现将|现|具体|我来|我|可以)?(?:回答|解答|答案|答复|说明|作答|作如下回答)(?:是|为)?(?:如下)?[：:。]\s{0,8}/u

/** After an opening, a line that announces what follows: 制作过程如下：. */
function announcedLine(text: string): number {
  const line = lineOf(text)
  if (line === null || line.length === text.length) return 0
  return /^[^。！？]{0,60}(?:如下|以下|介绍|说明|回答|解答|方法|内容)[：:]\s{0,8}$|^(?:以下|下面)是[^。！？]{0,60}[：:]\s{0,8}$/u.test(
    line,
  )
    ? line.length + 1
    : 0
}

const greetings = /^(?:[您你]好|大家好|亲爱的用户|尊敬的用户|hello|hi)(?:呀|啊)?\s?[！!，,。：:~～]{1,2}\s{0,8}/iu

/** An interjection counts with its punctuation only: not 好的代码…. */
const openings =
  /^(?:好的?(?:呀|呢|哒|吧)?|好嘞|行|嗯+|哦|当然(?:可以|没问题|能)?|可以的?|没问题|没有问题|(?:我)?(?:已经?)?(?:明白|理解|知道|懂)了?|收到|了解了?|遵命|非常(?:乐意|高兴|荣幸)(?:为您?你?(?:解答|服务|回答|效劳))?|很?(?:高兴|乐意|荣幸)(?:能)?(?:为|帮助?|给)[您你](?:解答|服务|回答|效劳|介绍|提供帮助|解惑)?(?:这个|该|此|您的|你的|关于[^，。！\n]{1,20}的)?(?:问题|疑问)?|(?:非常|十分|首先)?(?:感谢|谢谢)[您你]的?(?:提问|问题|咨询|信任|指令|请求|分享|提供)|(?:关于|针对|对于)[您你](?:的|提出的|提到的|咨询的|所问的)(?:这个)?(?:问题|提问|疑问)|这是(?:一)?个(?:很|非常|十分)?(?:好|棒|有趣|有意思|重要|常见|实用|值得探讨)的问题|(?:ok(?:ay)?|sure(?: thing)?|certainly|of course|absolutely|got it|no problem|great question))(?:的)?\s{0,2}(?:[！!。.~～：:]{1,3}|[，,](?=\s{0,2}(?:好的|好[，：:]|以下|下面|如下|这|我|根据|请看|没问题|当然|可以|很高兴|指令|问题|用户|对应|针对|基于|结合|按照|经过|here|the|based|i |let))|[，,](?<=(?:好的?(?:呀|呢|吧)?|(?:问题|提问|疑问))[，,]))\s{0,8}/iu

function lineOf(text: string): string | null {
  const end = text.indexOf('\n')
  const line = end < 0 ? text : text.slice(0, end)
  return line.length > charsMax ? null : line
}

/** A line of its own: ### 指令, **回答：**, 【用户指令】, ——指令——. */
function isHeading(line: string, kind: ReplyKind): boolean {
  const bare = line.replace(decoration, '').trim()
  if (bare === '' || bare.length > charsMax) return false
  if (/^[#*_=【[（(<\-—–>\s]/u.test(line) && heads[kind].test(bare) && vocabulary(kind).covers(bare)) return true
  return isIntroduction(bare, kind, line)
}

const decoration = /[#*_=【】〔〕［］[\]<>「」“”"《》（）()\-—–:：\s]{1,200}$|^[#*_=【〔［[<「“"《（(\-—–>\s]{1,200}/gu

/** Returns the end of 【用户提问】 or **指令** before a text on the same line; 0 if there is none. */
function bracketedEnd(text: string, kind: ReplyKind): number {
  const found =
    /^(?:【[^】\n]{1,24}】|\[[^\]\n]{1,24}\](?!\()|\*\*[^*\n]{1,24}\*\*|〖[^〗\n]{1,24}〗|〔[^〕\n]{1,24}〕|［[^］\n]{1,24}］|["“'][^"”'\n]{1,16}["”']\s?(?=[：:])|[「『][^」』\n]{1,16}[」』]\s?(?=[：:]))/u.exec(
      text,
    )?.[0]
  if (found === undefined || found.length === text.length) return 0
  const bare = found.replace(decoration, '')
  return heads[kind].test(bare) && vocabulary(kind).covers(bare) ? found.length : 0
}

/** Ends a prefix: a colon, or the quote that opens what it introduces. */
function prefixEnd(text: string, kind: ReplyKind): number {
  const start = text.slice(0, charsMax)
  const at = start.search(/[：:\n→⇒➡]|[=-]>|——|[，,\s]?[“「『"](?!\S{0,12}[”」』"](?:的|中|一|这))/u)
  if (at <= 0 || start[at] === '\n') return 0
  const clause = start.slice(0, at).replace(decoration, '')
  const colon = /[：:→⇒➡—=-]/u.test(start.charAt(at))
  if (!isIntroduction(clause, kind, `${clause}${colon ? '：' : ''}`)) return 0
  if (!colon && !copula.test(clause) && !/问$|说$/.test(clause)) return 0
  return colon ? at + (/[=-]/.test(start.charAt(at)) ? 2 : 1) : at
}

/** A sentence about the reply without a colon: 下面我来为您详细介绍. */
function sentenceEnd(text: string, kind: ReplyKind): number {
  const end = text.slice(0, charsMax).search(/[。！!\n]/u)
  if (end <= 0 || end === text.length - 1) return 0
  const sentence = text.slice(0, end)
  if (/[？?]/u.test(sentence) || (kind === 'instruction' && request.test(sentence))) return 0
  const selfReference = kind === 'answer' ? announcesAnswer : announcesInstruction
  return selfReference.test(sentence.replace(decoration, '')) ? end + 1 : 0
}

const announcesAnswer =
  /^(?:关于|对于|针对|就)[^。！？]{2,60}[，,]?(?:我的|现将?|具体)?(?:回答|解答|答复|作答)如下$|^(?:关于|对于|针对)?(?:这|该|此|您的|你的|您这|你这)(?:个|道|一)?(?:问题|题目|题|提问)[，,]?(?:我|让我|由我|就由我|现)(?:来|就来|可以|将|很乐意)?(?:为您|为你|给您|给你)?(?:来)?(?:回答|解答|作答|答|说说|谈谈|说明)|^(?:很|非常)?(?:高兴|乐意|荣幸)(?:能)?(?:为您|为你)?(?:回答|解答)(?:您|你|这|该|此)[^，。]{0,6}(?:问题|提问|疑问)$|^(?:(?:现|我)?(?:就|对)?(?:这|该|此|您的|你的)(?:个|道|一)?(?:问题|提问|指令|题)[，,]?)?(?:现)?(?:回答|解答|答复|作答)如下$|^.{0,40}我的(?:回答|解答|答案|看法)(?:如下|是)$|^(?:好的?[，,]|当然(?:可以)?[，,])?(?:(?:下面|接下来|以下|现在|首先|那么|针对.{0,30}|根据.{0,30}|关于.{0,30})[，,]?(?:由|就)?(?:让)?我(?:们)?(?:就|来|将|会|可以|先|一起)|(?:下面|以下|接下来)(?:来|将)?(?:为|给|向)[您你大]|我(?:来|将|会|可以|很乐意)(?:回答|解答|介绍|说明|详细|简单|简要|谈|分享|整理|改写|润色|试着|尝试|一一|逐一|根据|按照|为|给|帮|向|结合|尽力|用)|让我(?:们)?(?:来|一起|先)?(?:看|了解|详细|为|探讨|介绍)|(?:根据|按照|依据)[您你]的(?:要求|指令|需求|问题|提问)|关于[您你](?:提出|提到|咨询|问)|(?:以下|下面|上面|这)(?:就)?是(?:我|根据|按照|为[您你]|针对|对(?:您|你|该|这)|经过|改写|润色|整理)|(?:已|我已)(?:经)?(?:根据|按照|为[您你]))/u
const announcesInstruction =
  /^(?:好的?[，,])?(?:(?:下面|接下来|以下)?我(?:来|将|会|已|可以|认为|尝试|试着)|根据(?:您|你|上述|以上|这|该|给出|提供|文)|(?:以下|下面|这)是(?:我|根据|一?[条个]|可能|最|反推|为))[^“「]*(?:指令|问题|提问|prompt)[^“「]*$/iu

/** Whether the clause introduces a reply of the kind. `line` has its punctuation, which shows a colon at its end. */
function isIntroduction(clause: string, kind: ReplyKind, line: string): boolean {
  const bare = clause.trim()
  if (bare === '' || /[。！？!?]/u.test(bare)) return false
  const colon = /[：:][*_\s】\])）]*$/u.test(line)
  if (kind === 'instruction') return introducesInstruction(bare, colon)
  return introducesAnswer(bare, colon)
}

const copula =
  /(?:是|为|即|如下(?:所示|文|面)?|可以是|可能是|应该是|应为|这样的?|就是|会是|有|包括|会问|可能问|可能会问|想问|问(?:道|的|的话)?|的是|在回(?:答|应)|想知道|想了解|希望知道|询问|is|are|be|follows|would be)[，,\s]*$/iu

const heads: Readonly<Record<ReplyKind, RegExp>> = {
  instruction:
    /指令|问题|提问|问句|提示词?|请求|需求|题目|任务|命令|问法|查询|输入|会问|想问|可能问|一问$|之问$|疑问|疑惑|(?:这样|这么|如此|在|要)问|问的|在回(?:答|应)|回(?:答|应)的(?:就|应该|可能|大概)?是|反推|逆推|倒推|推断|推测|想知道|想了解|输出|这样写$|^(?:问|用户|结果)$|output|prompt|instruction|question|query|^q\d{0,2}$|user|human|input/iu,
  answer:
    /回答|答案|回复|答复|解答|正文|内容|版本|结果|成品|成稿|文本|改写|润色|整理|作答|输出|解析|^答$|answer|response|output|reply|result|assistant|^a$|版$/iu,
}

function introducesInstruction(bare: string, colon: boolean): boolean {
  if (!heads.instruction.test(bare) || request.test(bare)) return false
  const ends = copula.test(bare)
  if (instructionVocabulary.covers(bare)) return colon || ends || /指令|prompt|instruction/i.test(bare)
  // With a topic inside: 以下是关于月季养护的一条指令：
  return (
    startsAboutReply.test(bare) &&
    (colon || ends) &&
    /(?:指令|提示词|prompt|instruction)s?(?:可以|可能|应该|大概)?(?:是|为|如下|即|is|are)?[，,\s]*$|(?:问题|提问|问句|请求|题目|任务|需求)(?:可以|可能|应该|大概)?(?:是|为|如下|即|is)[，,\s]*$|(?:会|想|可能|在|这样|这么)问(?:的|的是|道)?$/iu.test(
      bare,
    )
  )
}

/** An instruction that begins so names its own task: 请回答以下问题：. */
const request =
  /^(?:请|试|麻烦|帮|(?:回答|解答|回应)(?!过?[的了])|完成|解决|思考|阅读|翻译|总结|概括|写(?!出?的|出?一)|设计|编写|分析|讨论|说明|解释|列出|给出(?!的)|提出(?!的)|生成(?!的)|修改(?!后)|优化(?!后)|改写(?!后)|结合(?!您|你|上|以|文|这|该)|根据.{0,20}(?:回答|完成|解答|解决)|对.{0,20}(?:回答|进行))/u

const startsAboutReply =
  /^(?:好的?[，,]|当然(?:可以)?[，,])?(?:以下|下面|如下|这|该|此|上述|根据|基于|针对|通过|从|结合|经过|依据|按照|用户|我|对应|反推|推断|推测|可能|最|与|对于|here|this|the|based|a |an |possible|sure)/iu

function introducesAnswer(bare: string, colon: boolean): boolean {
  if (!colon) return announcesAnswer.test(bare) && bare.length < 60
  if (heads.answer.test(bare) && answerVocabulary.covers(bare)) return true
  if (announcesAnswer.test(bare)) return true
  // 以下是月季修剪方法的详细介绍： after an opening, or with a word about the reply.
  return (
    /^(?:以下|下面|here|below)/iu.test(bare) &&
    /[您你我]|改写|润色|整理|回答|解答|答案|参考文|指令|answer|response/iu.test(bare)
  )
}

function vocabulary(kind: ReplyKind): WordTable {
  return kind === 'instruction' ? instructionVocabulary : answerVocabulary
}

const shared = `
  好的 当然 可以 没问题 以下 下面 如下 下列 所示 是 为 有 即 这 那 此 该 本 就 便 就是 这是 一 两 三 四 五 几 多 1 2 3 4 5 这样 这样的 是这样的 一条 一个 一则 一句 一道 一份 一段
  条 个 句 道 则 份 种 段 篇 根据 基于 依据 依照 按照 针对 对于 关于 对 从 由 与 和 跟 以 结合 参考 参照 通过 经过 您 你 用户 他 某人 人 所 提供 给出 给定 输入
  上传 发来 的 得 地 了 这段 该段 那段 上述 上面 以上 前面 文字 文本 内容 文段 段落 材料 素材 文章 信息 资料 描述 原文 片段 话 短文 我 我们 我的 为您 为你
  帮您 帮你 给您 给你 将 会 来 能 能够 可 可能 很可能 最有可能 最可能 最 大概 应该 应 也许 或许 大致 一下 给 出 出来 到 中 里 后 之后 过 而 且 并 并且 以及
  及 或 之 其 而成 得到 得出 形成 生成 写 写出 撰写 编写 拟 拟定 拟写 设计 整理 总结 提炼 概括 归纳 优化 修改 调整 完善 改进 处理 重写 重新
  符合 满足 要求 标准 规范 需求 需要 条件 完整 具体 明确 清晰 独立 详细 简要 简洁 简短 简单 准确 通顺 流畅 自然 合适 合理 恰当 恰好 适合 适当 贴切 正确 直接
  相应 对应 匹配 相关 有关 相符 原始 原 初始 最初 真实 实际 潜在 推荐 建议 示例 样例 例子 最终 最后 最佳 更 新 新的 版 版本 中文 汉语 形式 格式 结果 输出
  请看 供您 供你 仅供 作为 的话 希望 如 看 请 您的 你的 ai 人工智能 助手 模型 系统 智能 here is are the a an for based on following given provided text passage your my from to of that this
  would be could might most likely possible likely corresponding generated final below sure certainly s in chinese`

const instructionVocabulary = new WordTable(`${shared}
  倘若 假设 假定 若是 那么 则 读者 网友 学生 顾客 家长 向 疑问 疑惑 困惑 所答 所问 答的 介绍 讲解 叙述 论述 讲述 一份答案 那么问题 问者
  它 他们 把 用 用来 可以用 如果 若 假如 当成 当作 看成 看作 作为 视为 应当 之 与之 的是 一问 发问 回答了 解答了 回应了 使用者 提问人 描述 问的是
  嗯 呢 吧 这么 如此 问的 一下 试试 猜 猜想 想必 在 正在 正 回应 应对 来说 而言 时 觉得 我来 让我 看看 想想 提问者 提问人 对方 读者 作答 得知 结论 倒推出 反推出 推断出
  推测 推断 反推 逆推 逆向 倒推 推导 反向 还原 还原出 猜测 判断 认为 想到 构造 构思 提出 提 问 问出 发出 下达 给予 使 使用 让 想 想要 想问 会问 说 请求 命令
  指令 问题 提问 问句 问法 提示 提示词 题目 任务 查询 答复 回复 回答 答案 解答 答 能够回答 一二三 知道 了解 询问 如下所示 分析 理解 阅读 综合 综上 综上所述 因此 所以 由此 可见 由此可见 显然 看来 反译 翻译 回译 训练 数据
  output result prompt prompts instruction instructions question questions query user user's users human input q answered answer asked ask reverse inferred`)

const answerVocabulary = new WordTable(`${shared}
  指令 问题 提问 请求 题目 回答 答案 回复 答复 解答 作答 答 解析 正文 成品 成稿 稿 改写 润色 修订 修改后 优化后 整理后 重组 组织 重组后 语言 参考 参考文字 参考资料 事实 具体如下
  详见 综合 介绍 说明 版的 针对该 针对这 answer answers response output reply result rewritten polished revised version assistant question instruction a`)
