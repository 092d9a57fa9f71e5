/**
 * Finds sentences of an answer that speak of the text it was made from, which its reader cannot see: 根据上文, 参考文字中提到,
 * 作者认为. Not where the instruction itself speaks of a text or a work.
 */

import { materialIn } from './material.js'

const given =
  '(?:参考|原|上述|以上|给定的?|给出的?|所给的?|提供的?|[您你]提供的?|用户提供的?|所提供的?|这段|该段|此段|这篇|该篇|这则|该则|这份|该|上面的?|上文的?|已知的?|题目的?|下面的?|以下)'
const material = '(?:参考)?(?:文字|文本|材料|资料|文章|文段|段落|短文|原文|段话|内容|信息|描述|片段|报道)'
const from = '(?:根据|依据|按照|参考|基于|由|据|结合|从|参照|通过)'
const adverbs = '(?:所|还|也|主要|并|并未|并没有|没有|未|明确|曾|已|都|特别|首先|最后|开头|结尾|具体|详细|只|仅){0,2}'
/** What a text does, in the words of a commentary. */
const says =
  '(?:提到|提及|指出|认为|表示|介绍|描述|讲述|显示|强调|叙述|表明|总结|分析|提供|涉及|给出|阐述|论述|列举|告诉(?:我们|读者|大家)|说明了|可知|可以看出|可见|所述|所示|来看|(?<=没有|未)(?:说明|写明|交代))'
const telling = `(?:${says}|说|说到|写|写道|写到|讲|记载)`
const inside = '(?:中的|里的|中|里|内)?'

const references: readonly RegExp[] = [
  new RegExp(`(?:出自|来自|摘自|引自|取自|源自|源于|见于)${given}(?:的)?${material}`, 'u'),
  /(?:文本|文字|材料|资料|文章|原文|段落)(?:的)?第[一二三四五六七八九十\d]{1,2}(?:自然)?段/u,
  /(?:^|[，。；：！？\n]\s{0,4})(?:正如|如|正像|就像|像|据|按|照)?(?:文本|文字|材料|资料|文章|文段|短文)(?:中|里)(?:也|还|就|所|都|已|明确|具体)?(?:说(?!明书)|讲|写|提|指出|给出|介绍|列)/u,
  new RegExp(`${from}${given}${material}`, 'u'),
  /(?:根据|依据|按照|基于|从)文字|(?:阅读|读完|看完|通读)(?:材料|文章|短文|原文|文字|全文|文本)(?:可知|后|可以|，)|(?:根据|基于|按照|依据|结合|从)(?:您|你|用户)(?:所)?(?:提供|给出|输入|上传|发来|描述)/u,
  new RegExp(
    `${from}(?:参考文字|参考资料|参考材料|参考文本|参考内容|上文|文中|文章|原文|材料(?!力学|科学|的性质|特性)|文本|短文|题意|题干|本文|此文|该文)(?!化|献|件|类|学|体|明|艺)`,
    'u',
  ),
  new RegExp(
    `(?:参考文字|参考文本|参考资料|参考材料|参考内容|原文|上文|前文|该文|此文|短文|文段)${inside}${adverbs}${telling}`,
    'u',
  ),
  new RegExp(
    `(?:^|[，。；：！？\\n]\\s{0,4})(?:正如|如|正像|就像|像|但|而|不过|其实)?(?:本文|文中|材料|资料|文本|文章|段落|作者|文字)${inside}${adverbs}(?:${says}|所说|所写|所言)`,
    'u',
  ),
  new RegExp(
    `${given}(?:参考)?(?:文字|文本|材料|资料|文章|文段|段落|短文|段话|报道)${inside}${adverbs}${telling}`,
    'u',
  ),
  /(?:^|[，。；：！？\n]\s{0,4}|这|这些|此|详情)在?(?:原文|参考文字|材料|上文|文章|原文本)(?:中|里)(?:都|也|均)?(?:有|没有|已有|作了|做了|可以找到|可见|详细)/u,
  new RegExp(`(?:作者|笔者)(?:在|于)(?:文|文章|书|书中|原文|本文)(?:中|里|内)?${adverbs}${telling}`, 'u'),
  /(?:参阅|参见|参照|参考|详见|见)(?:上述|以上|原|该|上面的?|前面的?)(?:文本|文字|材料|文章|段落|短文|文)|(?:阅读|读完)(?:以上|上述)|(?:上述|以上|所给|给定的?|给出的|提供的)(?:文本|文字|段落|文段|短文|文章)|参考文字|参考文本/u,
  /(?:^|[，。；：！？\n]\s{0,4})(?:由|从)(?:上|下|此)?图(?:中|上)?(?:可知|可见|可以看出|可以看到|能看出|能看到|得知)/u,
  /如(?:上|下)?图(?:\d{1,2}|[一二三])?(?:所示)|(?:见|参见|详见)(?:上|下|附)?(?:图|表)(?:\d{1,2}|[一二三])|(?:上|下)图(?:是|为|中|展示|显示|所示)|图片(?:中|里)(?:可以|展示|显示|的)|如(?:下|上)?表(?:\d{1,2}|[一二三])?所示|(?:上文|前文)(?:中|所|提到|已|说|指|曾)|本文(?:将|主要|从|旨在|介绍|探讨|就|通过|认为|对|以|来源|由|作者|转载|来自)|小编(?:认为|今天|就|给|为|来|在此|觉得|将|也|整理|提醒|建议|推荐|带)/u,
]

/** An answer about a work or a text may speak of it. */
const aboutText =
  /作者|文章|小说|诗|散文|短文|论文|(?:阅读|根据|依据|结合|上述|以下|下列|这[段则份]|所给|给定|给出的?)[^，。]{0,6}材料|材料(?:中|里|说|讲|一|二|作文)|原文|课文|作文|阅读|文中|资料|文本|段落|新闻|报道|故事|书|剧|电影|作品|论述|文言|歌词|文学|写一|撰写|起草|稿/u

/** Returns the words of an answer that point at its source text, or null. Linear in the text's length. */
export function sourceReference(answer: string, instruction: string): string | null {
  if (materialIn(instruction, 0).text) return null
  const plain = answer.replace(/“[^“”]{0,400}”|《[^《》]{0,100}》/gu, '〇')
  for (const pattern of references) {
    const found = pattern.exec(plain)
    if (found === null) continue
    if (isInstructionsOwn(found[0], found.index, instruction)) continue
    if (hasFigure(found[0], plain)) continue
    return found[0]
  }
  return null
}

/** Characters of an answer behind which 上述内容 may be its own. */
const ownTextCharsMin = 40

/** 参考文字 and what was given are the prompt's words in any answer; 作者 and 本文 belong to answers about texts. */
function isInstructionsOwn(words: string, at: number, instruction: string): boolean {
  if (/参考(?:文字|文本|资料|材料|内容)|提供|给出|给定|所给|上述|以上|上文|前文|这段文字|该段文字|题/u.test(words)) {
    return at > ownTextCharsMin && /上述|以上|题/u.test(words) && !/文字|文本|文章|材料|资料|段/u.test(words)
  }
  return aboutText.test(instruction) || /《|“/u.test(instruction)
}

/** A table or a drawing in the answer itself. */
function hasFigure(words: string, answer: string): boolean {
  return /表/u.test(words) ? answer.includes('|') : /图/u.test(words) && answer.includes('```')
}
