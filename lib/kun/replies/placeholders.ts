/** Finds places that a reply left to be filled in: [此处插入图片], （此处省略）, ![图](…). Names of a letter ([姓名]) are none. */

const placeholder =
  /[[【（(<《](?:此处|这里|在此|在这里|请在此|请)(?:应|可|需)?(?:插入|添加|填写|填入|放置|省略|补充|附|上传|贴)[^\]】）)>》\n]{0,30}[\]】）)>》]|[[【（(<](?:插入|添加)?(?:图片|图像|配图|插图|视频|链接|附件|图表|图示|图|表格|image|link|picture|photo|video)(?:链接|地址|描述|说明|位置|占位符|\d{1,2}|[一二三])?(?:：[^\]】）)>\n]{0,30})?[\]】）)>]|!\[[^\]\n]{0,100}\]\([^)\n]{0,300}\)|(?:此处|以下|下文|中间)(?:内容)?(?:从)?略(?![微有])|[（(](?:图|表|图片|图示|附图)略[）)]|[（(](?:此处)?(?:省略|略|未完|待续|未完待续|下略|后略)[）)]|\[(?:你|您|你的|您的|公司|xx+)[^\]\n]{0,12}(?:图片|链接|网址)\]|(?:lorem ipsum|todo[:：]|待补充|待填写)/iu

/** Blanks of a form: not where the instruction asks for one, and not an exercise with its solution. */
const blank = /_{2,}(?=[\u4e00-\u9fff，。、；])/gu
const blanksMin = 2
const asksForBlanks = /填空|模板|范本|合同|协议|表格|表单|格式|试题|习题|练习|问卷|申请|借条|欠条|通知|证明/u

/** Returns the placeholder, or null. Linear in the text's length. */
export function placeholderIn(text: string, instruction: string): string | null {
  const found = placeholder.exec(text)?.[0]
  if (found !== undefined) return found
  if (asksForBlanks.test(instruction) || /答案|解析|解[：:]/u.test(text)) return null
  const blanks = text.match(blank) ?? []
  return blanks.length >= blanksMin ? (blanks[0] as string) : null
}
