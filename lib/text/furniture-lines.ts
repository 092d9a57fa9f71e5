/**
 * Decides by its words alone whether a line of a page is furniture. A line is judged as a whole: a sentence that mentions
 * such a word is not furniture.
 */

import { edgeLabels, furniturePhrases, labels, lineWords, listHeadings, menuWords } from './boilerplate.js'
import {
  isCall,
  isEmptyForm,
  isListFilter,
  isMessage,
  isPaywall,
  readOnWords,
  withoutFieldNote,
} from './furniture-forms.js'
import { LineMark, LineMarks, marksAt, withoutCount, withoutEdges } from './line-marks.js'
import { PhraseIndex } from './phrase-index.js'

/**
 * `cut`: furniture. `more`: the same, and it offers the rest of a text. `edge`: furniture among the first and the last
 * lines. `word`: a menu word, furniture in a run. `heading`: starts a list of other pages. `item`: may belong to such a
 * list. `keep`: text. `none`: not judged, so text or an item of a list.
 */
export const LineVerdict = { none: 0, keep: 1, item: 2, word: 3, heading: 4, edge: 5, more: 6, cut: 7 } as const
export type LineVerdict = (typeof LineVerdict)[keyof typeof LineVerdict]

/** Longest line that may be furniture, in code units, except notices of rights. */
export const furnitureCharsMax = 120
/** Longest notice of rights in one line. */
const noticeCharsMax = 400
/** Longest title in a list of other pages. */
const itemCharsMax = 50
/** Longest call to act, in code units. */
const callCharsMax = 60
/** Share of the letters of a line that phrases of furniture must have. */
const phraseShareMin = 0.6

/** @param line without blanks at its ends; runs of blanks are one */
export function judgeLine(line: string): LineVerdict {
  if (line.length > furnitureCharsMax) {
    return line.length <= noticeCharsMax && isNotice(line) ? LineVerdict.cut : LineVerdict.keep
  }
  const core = withoutEdges(line)
  if (core === '') return LineVerdict.keep
  marks.read(line)
  const word = withoutCount(marks.has(LineMark.colon) ? withoutFieldNote(core) : core)
  const known = verdictOfWord(word)
  if (known !== null) return known
  if (marks.has(LineMark.pager) && isPager(core)) return LineVerdict.cut
  const first = line.charCodeAt(0)
  if (first === 0x201c || first === 0x300c || first === 0x2018) return LineVerdict.keep
  const opening = marksAt(core, 0)
  if ((opening & LineMark.opensNumber) !== 0 && numbered.test(core)) {
    return isItem(line) ? LineVerdict.item : LineVerdict.keep
  }
  return verdictOfForm(line, core, opening) ?? verdictOfPhrases(line, core, opening)
}

/** Marks of the line that is judged. */
const marks = new LineMarks()

function verdictOfWord(word: string): LineVerdict | null {
  const verdict = wordVerdicts.get(word) ?? null
  if (verdict === LineVerdict.more || verdict === LineVerdict.cut || !word.includes(' ')) return verdict
  return lineWords.has(word.replaceAll(' ', '')) ? LineVerdict.cut : verdict
}

/** By word; of a word in several lists, the last of these counts. */
const wordVerdicts: ReadonlyMap<string, LineVerdict> = new Map(
  (
    [
      [menuWords, LineVerdict.word],
      [listHeadings, LineVerdict.heading],
      [lineWords, LineVerdict.cut],
      [readOnWords, LineVerdict.more],
    ] as const
  ).flatMap(([words, verdict]) => [...words].map((word): [string, LineVerdict] => [word, verdict])),
)

/** @param opening marks of the first character of `core` */
function verdictOfForm(line: string, core: string, opening: number): LineVerdict | null {
  if (isNotice(core) || isRightsLine(core) || isTrail(core) || isMenu(line) || isMeta(core)) return LineVerdict.cut
  if (marks.colons > 1 && isEmptyForm(line)) return LineVerdict.cut
  if ((opening & LineMark.opensFilter) !== 0 && isListFilter(core)) return LineVerdict.cut
  if (isSiteMap(core)) return LineVerdict.cut
  const mayBeMessage = (opening & LineMark.opensMessage) !== 0 || marks.has(LineMark.message)
  if (mayBeMessage && isMessage(core)) return LineVerdict.cut
  const mayBePaywall = (opening & LineMark.opensPaywall) !== 0 || marks.has(LineMark.paywall)
  if (mayBePaywall && isPaywall(core)) return LineVerdict.more
  if (marks.has(LineMark.blank) && isPairOfWords(core)) return LineVerdict.word
  return marks.colons > 0 || (opening & LineMark.opensLabel) !== 0 ? labelVerdict(core) : null
}

function verdictOfPhrases(line: string, core: string, opening: number): LineVerdict {
  if (phraseShare(line) >= phraseShareMin) return LineVerdict.cut
  if (line.length <= callCharsMax && (opening & LineMark.opensCall) !== 0 && isCall(core)) return LineVerdict.edge
  return isItem(line) ? LineVerdict.item : LineVerdict.keep
}

const numbered = /^(?:\d{1,2} ?[.、)）]|[（(]\d{1,2}[)）]|第[一二三四五六七八九十\d]{1,3}[步章节条、]|步骤)/

/** Whether a line may be the title of another page. */
function isItem(line: string): boolean {
  return line.length <= itemCharsMax && !/[。！；;]|[^?？][”…]$/.test(line)
}

/** The same for a line of code units: codes[start … end). */
export function isItemAt(codes: Uint16Array, start: number, end: number): boolean {
  if (end - start > itemCharsMax) return false
  for (let at = start; at < end; at++) if (clauseEnds.has(codes[at] as number)) return false
  const last = codes[end - 1]
  if (end - start < 2 || (last !== 0x201d && last !== 0x2026)) return true
  const before = codes[end - 2]
  return before === 0x3f || before === 0xff1f
}

const clauseEnds = new Set([...'。！；;'].map((mark) => mark.charCodeAt(0)))

/** Whether a part of the line that is judged contains the end of a sentence. */
function hasSentence(core: string): boolean {
  return marks.has(LineMark.sentence) && /[。！；]/.test(core)
}

/** A notice of rights: it opens as one, however long. */
function isNotice(line: string): boolean {
  return (marksAt(line, 0) & LineMark.opensNotice) !== 0 && notice.test(line)
}

const notice =
  /^[【[（(*※★]?(?:免责声明|版权声明|版权申明|本站声明|特别声明|郑重声明|免責聲明|声明|注|特别说明|温馨提示|转载声明)[】\]）)]? ?[：:].{0,40}(?:转载|版权|本站|本网|侵权|原创|来源|作者观点|个人观点|投资建议|仅供参考|网络)|^(?:本站|本网)(?:所有|部分|大部分|发布|转载|刊登|内容|文章|注明)|^(?:凡|如)(?:注明|本网|本站|转载).{0,60}(?:转载|版权|来源|侵权)|^未经.{0,20}(?:授权|许可|同意|允许).{0,20}(?:不得|禁止|严禁|请勿|谢绝)|^(?:以上|本文|文章)(?:内容|仅代表|观点|来源|转自|转载自|为转载|系转载|由网友|图片).{0,60}(?:本站|本网|网友|仅供参考|侵权|立场无关|转载|网络)/

/** Numbers of licences and the ends of pages. */
function isRightsLine(line: string): boolean {
  if (marks.has(LineMark.rights) && rights.test(line)) return true
  return marks.has(LineMark.owner) && line.length <= 60 && owner.test(line)
}

const rights =
  /ICP ?[备備证證]|公网安备|网安备\d|Copyright ?(?:©|\(c\)|（c）|\d{4}|by)|(?:©|&copy;|\(c\)) ?\d{4}|All Rights? Reserved|经营许可证.{0,6}[:：\d]/i
const owner =
  /^[^，。！；]{0,30}版[权權]所有$|^版[权權]所有(?:[\s:：©(（|,，、]|[^，。！；]{0,24}(?:公司|网|社|集团|中心|局|委|站|院|厅|府)$)|^版权归.{1,20}所有$/

const homes = new Set('首页 首頁 主页 主頁 网站首页 返回首页 Home home HOME'.split(' '))

/** The way to a page: 当前位置：首页 > 新闻 > 正文. */
function isTrail(line: string): boolean {
  if (!marks.has(LineMark.trail) || hasSentence(line)) return false
  const plain = line.replace(/^[^：:>]{0,12}(?:位置|路径|导航)[：:]? ?/, '')
  const steps = plain.split(/ ?(?:>+|»|›|＞|→|\/| - ) ?/).filter((step) => step !== '')
  const [home = ''] = steps
  if (steps.length < 2 || steps.slice(0, -1).some((step) => step.length > 24)) return false
  return homes.has(home) || (/[>»›＞]/.test(line) && /首页$|(?<![域联连])网$/.test(home))
}

/** Words of links between separators or blanks. */
function isMenu(line: string): boolean {
  if (marks.has(LineMark.sentence | LineMark.comma)) return false
  const piped = marks.has(LineMark.bar) && !line.startsWith('|')
  if (!piped && marks.separators < menuSegmentsMin - 1) return false
  const parts = line.split(piped ? /[|｜│┃┊¦]/ : /[ ·•・/>»›＞、【】[\]（）()「」]+/)
  const segments = parts.map((part) => part.replace(/^[\s【[（(]+|[\s】\]）)\d]+$/g, '')).filter((part) => part !== '')
  const known = segments.filter((segment) => menuWords.has(segment)).length
  if (piped && segments.length === 2 && known === 2) return true
  if (segments.length < menuSegmentsMin) return false
  if (!piped) return known >= menuSegmentsMin && known >= 0.6 * segments.length
  return (
    2 * known >= segments.length || (known > 0 && segments.length > 3 && segments.every(({ length }) => length <= 8))
  )
}

const menuSegmentsMin = 3

function isPairOfWords(line: string): boolean {
  const [first = '', second = '', ...others] = line.split(' ')
  return others.length === 0 && menuWords.has(first) && menuWords.has(second)
}

/** A menu word with the words below it: 新闻中心：公司新闻 行业动态. */
function isSiteMap(line: string): boolean {
  if (marks.colons === 0 || !menuWords.has(line.slice(0, Math.max(line.indexOf('：'), line.indexOf(':'))))) return false
  const match = /^([^\s：:]{2,8})[：:] ?([^，。！？；：:]{3,110})$/.exec(line)
  if (match?.[2] === undefined) return false
  const below = match[2].split(/[ |｜]+/)
  return below.length > 1 && below.every(({ length }) => length <= 8)
}

/** Numbers of pages with the words around them. */
function isPager(line: string): boolean {
  if (!pagerWord.test(line)) return false
  return line.split(/[ ,，[\]【】()（）|]+/).every((token) => token === '' || pagerToken.test(token))
}

const pagerWord = /[上下][一1]?[页頁章条]|[末尾]页|共 ?\d+ ?[页条]|每页(?:显示)? ?\d|[«»‹›]/
const pagerToken =
  /^(?:\d{1,5}|[上下][一1]?[页頁]|首页|[末尾]页|第?\d{1,5}页?|共|[页条:：]|共\d{1,7}[页条]|\d{1,5}\/\d{1,5}页?|[<>«»‹›…＜＞]+|\.{2,6}|(?:跳转|转|跳)[到至]?第?|到|第|部|条记录|记录|页次|每页显示|GO|Go|确定|当前|每页\d{0,4}条?|\d{1,4}条)$/

/** Dates, counters and buttons that pages print around a title, with the name of the site at most. */
function isMeta(line: string): boolean {
  if (!mayBeMeta(line) || hasSentence(line)) return false
  let elements = 0
  let strong = 0
  let stamps = 0
  const rest = line
    .replace(/^\d{1,5} ?[#楼]/, ' ')
    .replace(/(?:本帖最后由 ?\S{1,16} ?于|发表于|发布于|回复于|编辑于|最后更新|更新于)[：:]? ?(?=\d{4})/g, () => {
      stamps++
      return ' '
    })
    .replace(/\d{4} ?[-年/.] ?\d{1,2} ?[-月/.] ?\d{1,2} ?日?(?: ?\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)?/g, () => {
      elements++
      return ' '
    })
    .replace(metaPair, (_, label: string) => {
      elements++
      if (!weakMeta.has(label)) strong++
      return ' '
    })
    .replace(metaCount, () => {
      elements++
      strong++
      return ' '
    })
    .replace(
      /[【[（(]? ?(?:(?:大|中|小|打印|关闭|收藏|分享|返回|推荐|繁体|简体|评论|纠错|编辑|回复|引用|举报|只看该作者|只看楼主|楼主|显示全部楼层|A[+-]?) ?){1,4}[】\]）)]?/g,
      ' ',
    )
  if (elements + stamps < 2 || strong + stamps < 1) return false
  return !/[：:]/.test(rest) && lettersOf(rest) <= metaRestMax
}

const metaRestMax = 8

/**
 * Whether there can be two elements. Each has a colon or a number; a number behind the one colon of a line is in the value of
 * its label, where that reaches to the end.
 */
function mayBeMeta(line: string): boolean {
  if (marks.colons + marks.numbers < 2) return false
  if (marks.colons > 1 || marks.numbers > 1 || marks.has(LineMark.blank | LineMark.bar | LineMark.stamp)) return true
  const colon = line.search(/[：:]/)
  return colon >= 0 && (line.search(/\d/) < colon || line.length - colon > metaValueCharsMax)
}

/** Longest value of a pair. */
const metaValueCharsMax = 20
const metaPair =
  /(来源|文章来源|信息来源|稿源|出处|作者|编辑|责任编辑|责编|发布时间|发布日期|发布者|发布人|发布|更新时间|更新日期|更新|发表时间|发表|时间|日期|浏览次数|浏览量|浏览|阅读次数|阅读量|阅读|点击次数|点击数|点击量|点击率|点击|查看次数|查看|访问量|人气|热度|评论数|评论|回复数|回复|点赞|字号|字体大小|字体|栏目|所属栏目|标签|审核|录入|责任校对|文号|索引号|主题词) ?[：:] ?[^\s：:|]{0,20}/g
const weakMeta = new Set(['作者', '时间', '日期', '文号', '标签', '栏目', '审核', '编辑', '主题词', '索引号'])
const metaCount = /\d{1,9} ?(?:次|人|条|个)?(?:浏览|阅读|评论|点击|围观|人气|跟帖|人参与|人阅读|次阅读|次浏览|次点击)/g

function labelVerdict(line: string): LineVerdict | null {
  const match =
    /^([^：:\s]{1,14}) ?[：:] ?(.*)$/.exec(line) ?? /^(上一[篇章条则]|下一[篇章条则])(?: |[>＞»→|]|$)(.*)$/.exec(line)
  const [, label = '', rest = ''] = match ?? []
  const isLabel = anywhere.has(label)
  if (!isLabel && !atEdges.has(label)) return null
  if (/[。！；]./.test(rest)) return null
  if (isLabel) return LineVerdict.cut
  if (tagLabels.has(label) && rest.split(' ').length > 2 && !/[，。！？]/.test(rest)) return LineVerdict.cut
  return rest.length <= edgeRestMax && !/[，。！？]/.test(rest) ? LineVerdict.edge : null
}

const anywhere = new Set(labels)
const atEdges = new Set(edgeLabels)
/** Labels of a list of words without a sentence. */
const tagLabels = new Set(['标签', '標籤'])
const edgeRestMax = 30

/** Share of the letters and digits of a line that are in phrases of furniture; 0 if it is below `phraseShareMin`. */
function phraseShare(line: string): number {
  if (line.length > phraseLineCharsMax) return 0
  let covered = 0
  let plain = 0
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at)
    phraseCodes[at] = code
    if (isPlainLetter(code)) plain++
  }
  for (let at = 0; at + 1 < line.length; at++) {
    const phrase = phrases.longestAt(phraseCodes, at, line.length)
    if (phrase === null) continue
    covered += phraseLetters[phrase.number] as number
    at += phrase.length - 1
  }
  return 2 * covered < plain || covered === 0 ? 0 : covered / lettersOf(line)
}

const phraseLineCharsMax = 80
const phraseCodes = new Uint16Array(phraseLineCharsMax)
const phrases = PhraseIndex.of(furniturePhrases)
const phraseLetters = furniturePhrases.map(lettersOf)

/** Ideographs and ASCII letters and digits: most letters of most lines. */
function isPlainLetter(code: number): boolean {
  return (
    (code >= 0x4e00 && code <= 0x9fa5) ||
    (code >= 0x30 && code <= 0x39) ||
    ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a)
  )
}

/** Returns the number of letters and digits of a text. */
function lettersOf(text: string): number {
  let letters = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (isPlainLetter(code)) letters++
    else if (!isPlainMark(code)) return text.match(/[\p{L}\p{N}]/gu)?.length ?? 0
  }
  return letters
}

/** Marks that are neither letters nor digits: most marks of most lines. */
function isPlainMark(code: number): boolean {
  return code < 0x80 || (code >= 0x2010 && code <= 0x2027) || (code >= 0x3000 && code <= 0x3004) || marksOfWidth(code)
}

/** Brackets 〈 to 】, and full-width marks from ！ to ／ and ： to ？. */
function marksOfWidth(code: number): boolean {
  return (code >= 0x3008 && code <= 0x3011) || (code >= 0xff01 && code <= 0xff0f) || (code >= 0xff1a && code <= 0xff1f)
}
