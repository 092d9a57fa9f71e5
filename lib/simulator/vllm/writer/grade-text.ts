/** Grades a text by rules in place of a judge model: length, prose, whole sentences, words of advertising. */
import { type Grade, gradeOf, opinion } from './grade.js'

const advertising = /点击|加微信|加群|扫码|关注公众号|免费领取|优惠|下单|客服|热线|投注|代理|版权所有|转载|登录|注册/gu
/** Characters of which a longer text is judged. */
const charsMax = 4_000

/** Returns the grade, which depends on the text only. */
export function gradeText(given: string): Grade {
  const text = given.trim().slice(0, charsMax)
  const chars = Math.max(1, text.length)
  const han = [...text.matchAll(/\p{Script=Han}/gu)].length / chars
  const sentences = [...text.matchAll(/[。！？；]/gu)].length
  const calls = [...text.matchAll(advertising)].length
  let evidence = -0.4
  evidence += chars < 20 ? -3 : chars < 60 ? -0.5 : 1
  evidence += han < 0.3 ? -2 : han > 0.6 ? 0.8 : 0
  evidence += sentences === 0 ? -1.5 : sentences * 120 < chars ? -0.5 : 0.8
  evidence += /[。！？”…）]$/u.test(text) ? 0.4 : -0.4
  evidence -= Math.min(4, 1.2 * calls)
  if (/[\ufffd]|https?:|www\./u.test(text)) evidence -= 1.5
  return gradeOf(1 / (1 + Math.exp(-(evidence + opinion(text, 11)))))
}
