/** Finds places that a reply left to be filled in: [此处插入图片], （此处省略）, ![图](…). Names of a letter ([姓名]) are none. */

const alwaysPlaceholder =
  /[[【（(<《](?:请)?(?:您|你)?(?:在)?(?:此处|这里|此|下方|上方|相应位置|对应位置)?(?:处|中)?(?:应|可|需)?(?:插入|添加|填写|填入|放置|省略|补充|补全|完善|附|上传|贴|替换)[^\]】）)>》\n]{0,30}[\]】）)>》]|[[【（(<《]?(?:内容|具体内容|数据|此处|信息)?待(?:补充|填写|填入|完善|补全|补|填|定|更新|添加|插入|续)(?:内容|信息|数据)?[\]】）)>》]/u
/** 第XX章, 出租人×××: valid in a form, a letter or a template. */
const crossed =
  /(?<=[\u4e00-\u9fff])(?:[XxＸ]{2,6}|×{2,6}|某某某?|\*{3,6}|＊{2,6})(?=[\u4e00-\u9fff，。、；])(?!.{0,3}(?:染色体|[型性式]|基因|级|码|号鞋))/u

const placeholder =
  /[[【（(<《](?:此处|这里|在此|在这里|请在此|请)(?:应|可|需)?(?:插入|添加|填写|填入|放置|省略|补充|附|上传|贴)[^\]】）)>》\n]{0,30}[\]】）)>》]|[[【（(<](?:插入|添加)?(?:图片|图像|配图|插图|视频|链接|附件|图表|图示|图|表格|image|link|picture|photo|video)(?:链接|地址|描述|说明|位置|占位符|\d{1,2}|[一二三])?(?:：[^\]】）)>\n]{0,30})?[\]】）)>]|!\[[^\]\n]{0,100}\]\([^)\n]{0,300}\)|(?:此处|以下|下文|中间)(?:内容)?(?:从)?略(?![微有])|[（(](?:图|表|图片|图示|附图)略[）)]|[（(](?:此处)?(?:省略|略|未完|待续|未完待续|下略|后略)[）)]|^[[【](?:你|您)的?(?:姓名|名字|称呼)[\]】]|\[(?:你|您|你的|您的|公司|xx+)[^\]\n]{0,12}(?:图片|链接|网址)\]|(?:lorem ipsum|todo[:：]|待补充|待填写)/iu

/** [品种名称], 【公司名】: the name of a value in place of the value. */
const unnamed =
  /[[【〔][\u4e00-\u9fff]{0,6}(?:名称|名字|姓名|公司名|产品名|品牌名|地名|人名|书名|日期|时间|地点|数字|数值|金额|型号|具体[\u4e00-\u9fff]{1,6})[\]】〕]/u

/** Blanks of a form: not where the instruction asks for one, and not an exercise with its solution. */
const blank = /_{2,}(?=[\u4e00-\u9fff，。、；])/gu
const blanksMin = 2
const asksForBlanks = /填空|模板|范本|合同|协议|表格|表单|格式|试题|习题|练习|问卷|申请|借条|欠条|通知|证明/u

const writesForm =
  /信|邮件|稿|简历|条|介绍|广告|文案|证|书|公告|新闻|报道|计划|总结|报告|脱敏|隐私|代码|故事|某|XX|xx|×/u

/** Returns the placeholder, or null. Linear in the text's length. */
export function placeholderIn(text: string, instruction: string): string | null {
  const found = (placeholder.exec(text) ?? alwaysPlaceholder.exec(text))?.[0]
  if (found !== undefined) return found
  if (asksForBlanks.test(instruction) || /答案|解析|解[：:]/u.test(text)) return null
  const name = (crossed.exec(text) ?? unnamed.exec(text))?.[0]
  if (name !== undefined && !writesForm.test(instruction)) return name
  const blanks = text.match(blank) ?? []
  return blanks.length >= blanksMin ? (blanks[0] ?? null) : null
}
