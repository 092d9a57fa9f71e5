/**
 * Removes what chat models write after an instruction or an answer: an explanation, a note about the reply, an offer of
 * more help, the next turn of a dialogue.
 */

import type { ReplyKind } from './introduction.js'

/** Sentences or lines taken from the end, one after the other. */
const roundsMax = 12
/** Characters of a sentence that may be an afterword. */
const charsMax = 240

/** Returns the text before its afterwords; never '' for a text that is one itself. Linear in the text's length. */
export function withoutAfterword(text: string, kind: ReplyKind): string {
  let rest = beforeTurn(text, kind).trimEnd()
  if (kind === 'instruction') rest = beforeExplanation(rest)
  for (let round = 0; round < roundsMax; round++) {
    const start = lastSentenceStart(rest)
    const shorter = withoutClosing(rest, start, kind, rest.length < text.trimEnd().length)
    if (shorter === rest || shorter === '') break
    rest = shorter
  }
  return rest
}

/** Cuts at the next turn: a line such as 'Human: …', or after an instruction the answer to it. */
function beforeTurn(text: string, kind: ReplyKind): string {
  const turn = kind === 'instruction' ? answerTurn : nextTurn
  const found = turn.exec(text)
  if (found === null || text.slice(0, found.index).trim() === '') return text
  // A dialogue that the answer contains from its start is the answer.
  if (kind === 'answer' && /^(?:human|user|用户|assistant|助手|客服|问|q)\s?[：:]/i.test(text)) return text
  return text.slice(0, found.index)
}

const nextTurn =
  /\n\s{0,8}(?:(?:用户|提问者?|问)\s?[：:][^\n]{1,200}\n\s{0,8}(?:助手|ai|回答|机器人|模型|答)\s?[：:]|[#*[<【]{0,3}(?:human|user|assistant|system)[\]>】*]{0,3}\s?[：:]|[#*【[]{0,3}(?:指令|用户指令|新的?指令|instruction)[】\]*]{0,3}\s?[：:]|\n\s{0,4}(?:问题|问|q)\s?[：:][^\n]{1,200}\n\s{0,4}(?:回答|答|a)\s?[：:]|(?:问题|问)\s?[：:][^\n]{1,200}[？?]\s{0,4}$|###\s?(?:human|user|instruction|input|response))/i
const answerTurn =
  /(?:\n\s{0,8}|(?<=[。？！?!”」]\s{0,4}))[#*【[<]{0,4}\s?(?:(?:参考|标准|示例|正确|模型|助手|ai)?(?:回复|回答|答案|答复|解答|输出|答)|a\d?|answer|output|response|reply|assistant|助手|ai|机器人|模型|文字|原文|文本|human|user|用户|input)(?:】|[】\]>*]{0,4}\s?(?:[：:]|\n))/i

/** Returns the instruction that an instruction offers in its place ('…？\n或者：…'), as it is written; at most one. */
export function alternativeBehind(text: string): readonly string[] {
  const found = alternativeLine.exec(text)
  const other = found === null ? '' : text.slice(found.index + found[0].length).trim()
  return found === null || other === '' || text.slice(0, found.index).trim() === '' ? [] : [other]
}

const offered =
  '\\n\\s{0,8}(?:或者?|还可以是|也可以是|另外(?=[：:])|另外(?:一)?(?:条|个|种)|另一(?:条|个|种)|备选|其他可能|or)[^\\n：:]{0,12}[：:\\n]'
const alternativeLine = new RegExp(offered, 'iu')

/** Cuts an instruction at the line that explains it, or that offers another one. */
function beforeExplanation(text: string): string {
  const found = explanation.exec(text)
  if (found === null || text.slice(0, found.index).trim() === '') return text
  return text.slice(0, found.index).trimEnd()
}

/** Words between 这 and 指令 in a remark about the instruction: 这就是最可能的指令. */
const remarkWords =
  '(?:就|便|即|正|应该|应当|大概|可能|很可能|也许|最|有|是|为|一|条|个|种|我|我们|根据|基于|为|您|你|给|反推|逆推|推断|推测|还原|写|想|出来?|来|得|到|的|对应|相应|合适|合理|贴切|准确|符合|用户|原始|真实|潜在|样|可以|会|上文|上面|上述|文字|内容|文本|原文|，|,){0,14}'

const about = '指令|原文|这段|该段|文字|文本|上述|以上|内容|问题|提问|回复|回答|用户'
const explanation = new RegExp(
  [
    // 理由：, （解释：, **说明**：
    '(?:\\n\\s{0,8}|(?<=[。？！?!”」]\\s{0,4}))[#*【\\[（(]{0,4}(?:为什么(?:这样|这么)(?:反推|推断|推测|写|问)|解释|解读|理由|原因|解析|分析|依据|思路|说明理由|推理过程|explanation|reason(?:ing)?|rationale|analysis)(?:】|[】\\]*]{0,4}\\s?[：:])',
    `(?:\\n\\s{0,8}|(?<=[。？！?!”」]\\s{0,4}))[#*【\\[（(]{0,4}(?:注|备注|附注|注意|补充说明|说明|提示|注释|ps|note)(?:】|[】\\]*]{0,4}\\s?[：:])(?=[^\\n]{0,80}(?:${about}|instruction|prompt|text))`,
    // 这条指令…, 以上指令…, 该问题涵盖…
    '(?:\\n\\s{0,8}|(?<=[。？！?!”」]\\s{0,4}))[（(*_]{0,3}(?:\\s{0,4}[—–-]{1,3}\\s{0,4})?(?:这|该|此|以上|上述|本)(?:就)?(?:是|一|个|条|样)*(?:的)?(?:指令|提问|问法|提示词|prompt)',
    `(?:\\n\\s{0,8}|(?<=[。？！?!”」]\\s{0,4}))[（(]?(?:\\s{0,4}[—–-]{1,3}\\s{0,4})?(?:这|该|此|以上|上述|以上便|我认为这)${remarkWords}(?:指令|提问|问法|提示词|prompt)`,
    `(?:\\n\\s{0,8}|(?<=[。？！?!”」]\\s{0,4}))[（(]?(?:\\s{0,4}[—–-]{1,3}\\s{0,4})(?:这|该|此|以上|上述|对应|根据|来自|摘自|反推|推断|由)`,
    '\\n\\s{0,8}(?:以上|上面|这)(?:就|便|即)?(?:是|为)(?:我|本人)?的?(?:全部)?(?:推测|推断|反推|判断|猜测|理解|分析|结果)',
    '(?:\\n\\s{0,8}|(?<=[。？！?!”]\\s{0,4}))[（(【](?:置信|可信|概率|答案|回答|依据|反推|推断|推测|来自|出自|对应|来源|根据(?:原文|文字|文本|上文))[^）)】\\n]{0,60}[）)】]\\s{0,4}$',
    // 备注：根据第二段推断。
    '(?:\\n\\s{0,8}|(?<=[。？！?!”」]\\s{0,4}))[#*【\\[（(]{0,4}(?:注|备注|附注|附|ps|note)(?:】|[】\\]*]{0,4}\\s?[：:])(?=[^\\n]{0,80}(?:推断|推测|反推|倒推|逆推|还原|第[一二三四五1-5]段|段落|依据|置信|备选|(?:也|还|亦)可(?:以)?(?:问|写|改|换|说)|换成|改为|替换))',
    // 文字介绍了做法，所以…
    '(?:\\n\\s{0,8}|(?<=[？?]\\s{0,4}))[（(]?(?:因为|由于)?(?:原文|文字|文本|文中|上文|该文|这段话?|该段|这段文字)(?:的)?(?:主要|内容|围绕|介绍|讲|描述|重点|详细|分别|中|通过|给出|说明|是)',
    '\\n\\s{0,8}[#*【\\[（(]{0,4}(?:置信度|可信度|把握|出处|来源|答案来源|考点|答案要点|参考要点|答题要点|得分点)[】\\]*]{0,4}\\s?[：:]',
    '(?:\\n\\s{0,8}|(?<=[。？！?!”」]\\s{0,4}))[（(]?(?:这|该|此|以上|上述)(?:个|条|样的)?(?:问题|回复|段文字|文字|文本)(?:可以|能够?|恰好|正好|旨在|涵盖|对应|直接|主要|既|符合|与|要求|引导|可能|会)',
    '(?:\\n\\s{0,8}|(?<=[。？！?!”」]\\s{0,4}))(?:this|the above) (?:instruction|question|prompt)',
    // 或者：, 另一种问法：
    offered,
    '\\n\\s{0,8}[-=*_—]{3,40}\\s{0,8}(?:\\n|$)',
  ].join('|'),
  'iu',
)

/** Returns where the last sentence or line starts. */
function lastSentenceStart(text: string): number {
  const from = Math.max(0, text.length - charsMax)
  let at = text.length - 1
  while (at > from && /[。！？!?~～…）)\]】”"\s]/u.test(text.charAt(at))) at--
  for (; at > from; at--) if (/[。！？!?\n]/u.test(text.charAt(at - 1))) return at
  return from === 0 ? 0 : text.length
}

function withoutClosing(text: string, start: number, kind: ReplyKind, closed: boolean): string {
  const bare = text.replace(ornament, '').trimEnd()
  if (bare !== text) return bare
  const lineStart = text.lastIndexOf('\n') + 1
  const line = text.slice(lineStart)
  if (
    isWish(line) &&
    lineStart > 0 &&
    (kind === 'instruction' ? !/译|改写|改成|润色|朗读/u.test(text.slice(0, lineStart)) : !isLetter(text))
  )
    return text.slice(0, lineStart).trimEnd()
  if (kind === 'answer' && lineStart > 0 && namesSource.test(line)) return text.slice(0, lineStart).trimEnd()
  if (line.length <= charsMax && isNote(line)) return text.slice(0, lineStart).trimEnd()
  const note =
    /[（(【[](?:注|备注|附注|说明|字数|全文|共|约|以上|上述|本回答|改写|该回答|此回答|完|回答完毕|note)[^（()）\n]{0,200}[）)】\]]?[。！]?$/iu.exec(
      text.slice(-charsMax),
    )
  if (note !== null && isNote(note[0])) return text.slice(0, text.length - note[0].length).trimEnd()
  const sentence = text.slice(start).trim()
  if (sentence === '' || !isClosing(sentence, kind, closed)) return text
  return text.slice(0, start).trimEnd()
}

/** 祝您生活愉快！ as a line of its own. */
function isWish(line: string): boolean {
  return /^\s{0,8}(?:最后[，,]?)?(?:衷心)?(?:祝愿|预祝|祝福|祝|愿)(?:您|你|大家|各位|用户)?(?:们)?[^，。！\n]{0,6}(?:生活|学习|工作|使用|阅读|身体|一切|好运|顺利|愉快|玩得|用餐|烹饪|购物|旅途|旅行|成功|健康|开心|幸福|早日|考试|种植|养护|制作|事业|万事|心想)[^\n]{0,24}$/u.test(
    line,
  )
}

/** A letter ends with a wish of its own. */
function isLetter(text: string): boolean {
  return /^(?:\s|[#*《])*(?:尊敬|亲爱|敬爱|致|各位|[^\n，。]{1,16}[：:]\n)|此致|敬礼|祝福语|贺词/u.test(
    text.slice(0, 200) + text.slice(-200),
  )
}

/** 参考资料：原文第二段。 */
const namesSource =
  /^\s{0,8}[（(【*_]{0,4}(?:参考资料|参考文献|参考来源|资料来源|信息来源|内容来源|数据来源|来源|出处|依据|引用|参考|引自|摘自)[】*_]{0,4}\s?[：:][^\n]{0,60}(?:原文|文字|文本|材料|上文|文中|本文|文章|提供|所给|给出|第[一二三四五六七八九十\d]{1,2}段|用户|素材)/u

/** Separators, marks of an end. */
const ornament =
  /\s{0,8}(?:(?<=\n\s{0,8})[-=*_—~]{2,40}|[（(【[](?:完|全文完|回答完毕|回答结束|正文完|结束|end)[）)】\]]|(?<=\n)(?:以上。?|完毕。?|（完）|the end\.?|end\.?)|[【〔［]\/?(?:指令|文本|回答|结束|完)[】〕］]|\[\/?(?:指令|回答|inst|end)\]|<\/(?:指令|回答|instruction|answer|output|response|question|prompt)>)$/iu

/** A note about the reply itself, in brackets or a line of its own. */
function isNote(line: string): boolean {
  const bare = line.trim().replace(/^[（(【[*#>_—\-\s]{1,8}|[）)】\]*_\s]{0,8}[。！]?$/gu, '')
  if (
    /^(?:全文|总|正文|本文|回答)?(?:共计|共|约|总计|合计|总)?(?:字数|字符数)?(?:统计|共|约|为)?\s?[：:]?\s?(?:约|共)?\s?\d{1,6}\s?(?:个)?(?:字|词|字符|汉字|words)|^(?:总)?字数(?:统计)?\s?[：:]\s?(?:约)?\d{1,6}$/iu.test(
      bare,
    )
  )
    return true
  if (/^(?:完|全文完|回答完毕|回答结束|end|以上|完毕)$/iu.test(bare)) return true
  const labelled =
    /^(?:(?:改写|修改|润色|整理|优化|编辑|调整)(?:说明|备注|思路|理由|要点)|注|备注|附注|注意|说明|提示|声明|免责声明|ps|note|disclaimer)[*_]{0,2}\s?[：:]/iu.test(
      bare,
    )
  const aboutReply =
    /(?:以上|上述|本|此|该|这)(?:次|段|篇|个|份)?(?:的)?(?:回答|回复|答案|答复|内容|文字|文本|信息|改写|版本|说明|解答|建议|指令|问题|描述)|参考文字|参考资料|参考内容|原文|改写|润色|字数|指令|ai生成|提供的(?:文字|文本|资料|信息|材料|内容)|给出的(?:文字|文本|资料|信息|材料|内容)|未添加|不构成|仅供参考|based on|original text|above answer|rewritten/iu
  if (labelled) return aboutReply.test(bare)
  if (
    /^(?:以上|上述)?(?:内容|信息|资料|回答|要点|说法|数据|事实|步骤)?(?:均|都|全部|皆)?(?:出自|来自|摘自|引自|源自|取自|整理自|源于)(?:所给|给定|给出|您|你|用户|提供|上述|参考|原)/u.test(
      bare,
    )
  )
    return true
  return /^(?:以上|上述|本|此|该)(?:次|段|篇)?(?:的)?(?:回答|回复|答案|答复|内容|文字|文本|改写|信息|解答|建议)[^。]{0,60}(?:参考|整理|改写|来自|来源|基于|依据|根据|润色|生成|保留|去除|删去|未|仅)/u.test(
    bare,
  )
}

function isClosing(sentence: string, kind: ReplyKind, closed: boolean): boolean {
  const bare = sentence.replace(/^[（(*_【\s]{1,8}|[）)*_】\s]{1,8}$/gu, '')
  if (hopes.test(bare) || invites.test(bare) || offers.test(bare)) return true
  if (kind === 'instruction')
    return (
      asksBack.test(bare) ||
      /^(?:非常|十分)?(?:谢谢|感谢|多谢)(?:您|你|大家)?了?[！!。~]{0,3}$/u.test(bare) ||
      /^(?:以上)?(?:仅)?供(?:您|你)?参考|^请(?:您|你)?(?:查收|过目|审阅|指正|参考)/u.test(bare)
    )
  const comma = bare.search(/[，,]/u)
  if (comma > 0 && sumsUp.test(bare.slice(0, comma)) && isClosing(bare.slice(comma + 1), kind, closed)) return true
  if (sumsUp.test(bare) || asksBack.test(bare) || praises.test(bare) || isNote(bare)) return true
  // A wish alone may end a letter: it goes only with another afterword.
  return closed && /^(?:祝|预祝|愿)(?:您|你|大家).{0,24}$/u.test(bare)
}

const hopes =
  /^(?:最后[，,]?|总之[，,]?|以上(?:回答|内容|信息|建议)?)?(?:我|也)?(?:衷心|真心|真诚)?(?:希望|但愿|相信)(?:以上|上述|这|我|本|该|此|能|可以|对|您|你|大家|文|回答|指令)?.{0,40}(?:对(?:您|你|大家|读者).{0,12}(?:帮助|参考|启发|用|益|借鉴)|帮(?:助|到|上)?(?:到)?(?:您|你|大家)|(?:能够?|可以)?(?:为|给)(?:您|你|大家).{0,12}(?:帮助|参考|解答|启发|解惑)|有(?:所)?帮助|解答(?:了)?(?:您|你)|解决(?:了)?(?:您|你)|符合(?:您|你|要求)|(?:您|你|大家)(?:会)?(?:满意|喜欢)|满足(?:您|你|要求)|回答(?:了)?(?:您|你)|让(?:您|你).{0,10}(?:满意|了解))/u
const helpers =
  '与我联系|和我联系|与我们联系|告诉我|问我|联系我|找我|提问|追问|向我|留言|指出|咨询我|继续问|提出|告知|再问|继续提|继续咨询|咨询|交流|讨论|反馈|沟通'
const invites = new RegExp(
  [
    `^(?:如果?|若|假如|要是|倘若|当然[，,]?如)?(?:您|你|大家|仍|还|有|需|对|想|仍然|之后|后续).{0,50}(?:问题|疑问|需要|需求|不明|之处|地方|不明白|不清楚|了解|帮助|疑惑|想法|要求|补充|兴趣|细节).{0,20}(?:随时|欢迎|请|尽管|可以|都可以)(?:继续|随时|再|也|都可以|直接|在评论区)?(?:${helpers})`,
    '^(?:如果?|若|如有|如需).{0,50}(?:我(?:会|很|将|可以|也|都|非常|乐意|随时)|(?:乐意|高兴|愿意)(?:为|帮|继续)|随时为您|为您(?:解答|服务|提供))',
    `^(?:也|非常|十分|热烈)?欢迎(?:您|你|大家)?(?:继续|随时|进一步|在评论区|来)?(?:向我)?(?:${helpers})`,
    '^(?:如果?|若|倘若|如有|如需|需要|有任何).{0,60}(?:告诉我|告知我?|问我|联系我|找我|跟我说|和我说|通知我|请(?:您|你)?(?:直接)?(?:提出|指出|说明|告知))',
    '^(?:如果?|若|如有)(?:您|你)?(?:还|仍)?有?[^。]{0,16}(?:请|欢迎|可)(?:随时|继续)?(?:联系|提问|咨询|留言)[。！!~]{0,2}$',
    '^(?:请)?随时(?:告诉|问|联系|向|提问|咨询)',
    '^(?:还|您还|你还)?有(?:其他|什么|任何|别的)(?:问题|疑问|需要).{0,20}(?:吗|么|呢|随时|请|欢迎)',
    '^(?:if you|let me know|feel free|i hope|hope this|please let me|is there anything)',
  ].join('|'),
  'iu',
)
const offers =
  /^(?:(?:如果?|若)?(?:有|您|你)?需要(?:的话)?[，,]?(?:我)?(?:可以|能|还可以|也可以|随时)|我(?:还|也)?可以(?:继续)?(?:为|帮|给|进一步|继续|根据)(?:您|你)?).{0,60}$/u
const sumsUp =
  /^(?:好了[，,]?)?(?:以上|上述)(?:内容)?(?:就|便|即|大致|基本上?)?(?:是|为)(?!因|了|什么).{0,40}(?:内容|介绍|回答|解答|答案|方法|步骤|要点|说明|建议|信息|情况|总结|分析|解析|知识|过程|讲解|阐述|解释|概述|全部|所有|做法|攻略|技巧|方案|看法|观点|描述)[。！!~～]{0,2}$/u
const asksBack =
  /^(?:(?:请问)?(?:[您你](?:看|觉得))?(?:这样|这个|这条|如此)[^。]{0,8}(?:可以|行|合适|满意|符合要求)(?:吗|么|吧)[？?]|(?:请问)?(?:您|你)?还有(?:什么|其他|别的)[^。]{0,20}(?:帮|需要|问题|了解)[^。]{0,10}[？?]|(?:您|你)(?:觉得|认为|对)[^。]{0,12}(?:回答|答案|回复|内容)[^。]{0,12}[？?]|(?:您|你)(?:还|是否|想不想|想要|希望|需不需要|需要)[^。]{0,40}(?:了解|知道|我|帮|什么|哪)[^。]{0,20}(?:吗|呢|么)?[？?]|(?:是否|还|要不要|需不需要)?需要(?:我|帮)[^。]{0,40}[？?])$/u
const praises =
  /^(?:如果|若|要是|觉得).{0,24}(?:帮助|有用|喜欢|满意|不错).{0,12}(?:点赞|采纳|好评|收藏|关注|转发|五星)|^(?:感谢|谢谢)(?:您|你|大家|各位)?(?:的)?(?:提问|阅读|观看|关注|支持|聆听|耐心|使用|信任|理解).{0,10}$|^以上(?:内容|信息|建议|回答)?(?:仅|均|只)?供(?:您|你|大家)?参考.{0,30}$/u
