/** Finds what pages put behind the last sentence of a line: a call to read the rest elsewhere, the name of the editor. */

/** Code units at the end of a line that are looked at. */
const tailCharsMax = 120

interface Tail {
  /** Code units of the tail. */
  readonly chars: number
  /** Whether it calls to read the rest of a text that breaks off. */
  readonly isTeaser: boolean
}

/** Returns the tail of a line; null if it ends in its own words. */
export function tailOf(line: string): Tail | null {
  const end = line.slice(-tailCharsMax)
  const call = mayBeCall(end) ? callPattern.exec(end) : null
  if (call !== null && call.index + (line.length - end.length) > 0) {
    const before = end.slice(0, call.index).trimEnd()
    return { chars: end.length - before.length, isTeaser: !/[。！？!?”」』）)]$/.test(before) }
  }
  const credit = mayBeCredit(end) ? creditPattern.exec(end) : null
  if (credit === null || credit.index + (line.length - end.length) === 0) return null
  return { chars: end.length - end.slice(0, credit.index).trimEnd().length, isTeaser: false }
}

const verb = '(?:继续阅读|阅读|閱讀|查看|浏览|展开|显示|了解|获取|观看|收听|下载)'
const object =
  '(?:更多|全文|原文|全部|详情|详细|余下|剩余|完整|内容|正文|下文|文章|版|信息|视频|资料|全部内容|答案|结果|下一[章页回节])'
const whole = '(?:全文|原文|详细|详情|更多|展开|阅读全文|查看全文|查看详情|阅读更多|更多详情|展开全文|继续阅读)'
const close = '[\\]】）)》」>＞»→…\\s.。！!]{0,8}'

/** After dots or the end of a sentence, a call; or in brackets or before an arrow, a word for the rest. */
const callPattern = new RegExp(
  `(?:[….]{1,12}|。{2,6}|(?<=[。！？!?”」』）)])) ?[\\[【（(《「<]?(?:请|请您|欲知详情请|详情请|更多)?(?:点击|點擊|长按)?(?:左下角|下方|这里|此处|链接|标题|图片|“|「)?(?:${verb}?(?:${object}){1,3}){1,3}(?:”|」)?${close}$` +
    // In brackets, the terms on which the rest can be read.
    '|(?:[….]{1,12}|。{2,6})? ?[（(【\\[][^（）()【】\\[\\]]{0,60}(?:未完|余下|剩余|付费|登录后|会员|解锁|试读|查看全文|阅读全文)[^（）()【】\\[\\]]{0,60}[）)】\\]]$' +
    `|(?:[….]{1,12}|。{2,6})? ?(?:[\\[【（(<] ?(?:点击|请点击)?${whole} ?[\\]】）)>]|(?:点击|请点击)?${whole} ?[>＞»→]{1,3})${close}$`,
)

const creditLabel =
  '(?:责任编辑|責任編輯|责编|实习编辑|网络编辑|值班编辑|编辑|校对|编审|原标题|本文来源|文章来源|来源|稿源|图片来源|转载自|本文转自|转自)'
/** In brackets at the end, or after the end of a sentence. */
const creditPattern = new RegExp(
  `[（(\\[【] ?${creditLabel} ?[：:][^（()）\\[\\]【】]{0,60}[)）\\]】]$` +
    `|(?<=[。！？”）)\\]】]) ?${creditLabel} ?[：:] ?[^\\s。！？，：:]{1,16}(?: [^\\s。！？，：:]{1,8}){0,2}$` +
    '|(?<=[。！？”）)\\]】]) ?(?:返回顶部|返回首页|返回列表|关闭窗口|打印本页)$' +
    '|(?<=\\S) ?(?:\\[ ?编辑 ?\\]|\\[编辑 ?\\| ?编辑源代码\\]|播报 ?编辑)$',
)

/** Whether the last characters can be those of a call, so that `callPattern` is worth its time. */
function mayBeCall(end: string): boolean {
  const last = end.charAt(end.length - 1)
  if (isClosing.test(last) && termWord.test(end)) return true
  let at = end.length
  while (at > 0 && callClosings.has(end.charAt(at - 1))) at--
  return callEnds.has(end.charAt(at - 1))
}

const isClosing = /[）)】\]]/
/** First characters of the words of the second alternative. */
const termWord = /[未余剩付登会解试查阅]/
const callClosings = new Set(']】）)》」>＞»→….。！!” \t\u3000\u00a0')
/** Last characters of `object` and of `whole`. */
const callEnds = new Set('多文部情细下余整容章版息频料案果开读页回节')

/** The same of `creditPattern`. */
function mayBeCredit(end: string): boolean {
  const last = end.charAt(end.length - 1)
  if (creditEnds.has(last)) return true
  return hasColon.test(end) && (isClosing.test(last) || sentenceEnd.test(end))
}

const creditEnds = new Set('部页表口]辑')
const hasColon = /[：:]/
const sentenceEnd = /[。！？”）)\]】]/
