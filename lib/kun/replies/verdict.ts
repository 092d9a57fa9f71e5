/**
 * Reads a written verdict: 【好】, 差, 「好」, 评价：好, 【好】该指令明确. A verdict that is denied (不属于【好】), or given both ways, is
 * none: it says nothing that can be relied on.
 */

import { replyText } from './reply-text.js'

type Verdict = 'good' | 'bad'

/** Characters of a reply that are read: a verdict comes first or last. */
const charsMax = 4_000

/** Returns the verdict of a reply, or null. Linear in its length. */
export function writtenVerdict(reply: string): Verdict | null {
  const text = replyText(reply).slice(0, charsMax).trim()
  if (text === '') return null
  const first = leadingVerdict(text)
  if (first === 'contradicted') return null
  const rest = text.includes('\n') ? text.slice(text.lastIndexOf('\n') + 1) : ''
  const last = rest === '' ? null : leadingVerdict(rest)
  if (last === 'contradicted') return null
  if (first !== null && last !== null) return first === last ? first : null
  return first ?? last ?? mentionedVerdict(text)
}

const open = '[【〖「『\\[［（(《<“"*\\s]'
const close = '[】〗」』\\]］）)》>”"*\\s]'
const lead = new RegExp(
  `^(?:(?:verdict|rating|grade|score|result|evaluation|judg(?:e?ment)?)\\s{0,2}[：:]\\s{0,4}|[#*_\\-\\s]{0,8}(?:(?:我的|综合来看|总的来看|总体来看|总体而言|综上(?:所述)?|因此|所以|我认为|最终|综合|总体|整体|对该|对这|该|这|此|本)?(?:条|个|的)?(?:指令|文本|文字|回答)?(?:的)?(?:评价|评级|评定|结论|判断|判定|结果|等级|答案|评分|评语|质量|评估|分类|审核)?(?:结果|等级|意见)?[*_]{0,2}\\s{0,4}(?:应该|应当|应|可以|可|被)?(?:判定|评定|评价|判断|评|定|记)?(?:[：:，,]|是|为|属于)[*_\\s]{0,4}))?(${open}{0,6})(好|差)(${close}{0,6})`,
  'iu',
)

/** Returns the verdict that the text starts with; 'contradicted' if what follows takes it back. */
function leadingVerdict(text: string): Verdict | 'contradicted' | null {
  const found = lead.exec(text)
  if (found === null) return null
  const [all, opened = '', label, closed = ''] = found
  const after = text.slice(all.length)
  // A bare word must stand alone: 好的，我来评价 and 差不多 are none.
  const bare = opened.trim() === '' || closed.trim() === ''
  if (bare && !/^(?:$|[。，,.！!；;\n])/u.test(after) && !/\s$/u.test(closed)) return null
  const other = otherLabel.exec(after)
  if (other !== null && other[2] !== label && !denied.test(other[1] ?? '')) return 'contradicted'
  if (/^\s{0,4}(?:不是|而不是|或者?|还是|和|与|以及|、|\/|／|\||[？?]|的反|之间)/u.test(after) || takenBack.test(after))
    return 'contradicted'
  return label === '好' ? 'good' : 'bad'
}

/** A label in brackets in the same sentence: 【好】【差】. Denied, it says the same again: 【差】，达不到【好】的标准. */
const otherLabel = /^([^。！？\n]{0,40}?)[【「『“[]\s{0,4}(好|差)\s{0,4}[】」』”\]]/u

/** 【好】谈不上, 【好】是不可能的. Not 【好】不含指代, which gives a reason. */
const takenBack =
  /^[，,\s]{0,4}(?:(?:是|也|都|还|实在|根本|恐怕)?(?:谈|说|算|称|够|评|配)不上|不到哪|不了|不起来|是不可能|还差|还早|尚(?:远|早)|还?远(?:着|得)|与否|(?:吗|么)[？?])/u

const mention = /[【「『“"［[]\s{0,4}(好|差)\s{0,4}[】」』”"］\]]/gu
const denied =
  /(?:不|未|没|无法|难以|达不到|并非|非|够不上|称不上|谈不上|不足以|勉强|难|算不|欠|缺乏|哪里?(?:能|算|称|说)|怎么?能|离|距离?|接近|低于|如果|假如|除非|本可|本应)[^。！？；，,\n]{0,8}$/u

/** Returns the verdict of the labels in a sentence, if all of them agree and none is denied. */
function mentionedVerdict(text: string): Verdict | null {
  const found = [...text.matchAll(mention)]
  if (found.length === 0) return null
  const isDenied = ({ index }: RegExpExecArray): boolean => denied.test(text.slice(Math.max(0, index - 16), index))
  // 没有【差】的情形，评为【好】 says one thing; a denied 【好】 says nothing of how bad it is.
  const kept = found.filter((each) => !(each[1] === '差' && isDenied(each)))
  if (kept.length === 0 || kept.some(isDenied)) return null
  if (found.some(({ 0: all, index }) => takenBack.test(text.slice(index + all.length)))) return null
  const labels = new Set(kept.map(([, label]) => label))
  if (labels.size !== 1) return null
  return labels.has('好') ? 'good' : 'bad'
}
