/**
 * Finds words of an instruction that point at something its reader cannot see: 这段话, 上文, 该公司, 如图. Not where the
 * instruction brings the text along (翻译这句话：…), names it (《背影》的作者), or spoke of it before (竹子开花这种现象).
 */

import { materialIn, namesWork, withoutQuoted } from './material.js'
import { namesNothing, requestWords, subjectOf } from './requests.js'

/** Longer instructions are too long anyway; the rules below read a text a few times. */
const charsMax = 2_000
/** Letters of a subject before a pronoun that it can refer to. */
const antecedentLettersMin = 2

/** Returns the words that point at nothing, or null. */
export function danglingReference(given: string): string | null {
  const instruction = given.slice(0, charsMax)
  const plain = withoutQuoted(instruction)
  return (
    anaphora(instruction, plain) ??
    absoluteReference(instruction, plain) ??
    pointer(instruction, plain) ??
    demonstrative(instruction, plain) ??
    partOfText(instruction, plain) ??
    numberedPart(instruction, plain) ??
    placeInText(instruction, plain) ??
    acquaintance(plain)
  )
}

/** 怎样写好文章的结尾？ */
const asksHowToWrite =
  /(?:怎样|如何|怎么)(?:概括|归纳|提炼|分析|鉴赏|赏析|阅读)(?:好|出)?一[篇首部段本](?:文章|小说|诗|散文|论文|古文|文言文|书)|(?:怎样|如何|怎么)(?:才能)?写好?[^，。]{0,4}(?:文章|作文|开头|结尾|标题|论文|摘要)/u

/** Whether an instruction asks for something, but names no subject: 请继续。 */
export function hasNoSubject(given: string): boolean {
  const instruction = given.slice(0, charsMax)
  if (/[\p{N}a-zA-Z]/u.test(instruction) || namesWork(instruction) || asksHowToWrite.test(instruction)) return false
  return namesNothing(instruction)
}

// 对此, 由此可见, 这样做, 刚才说的: words that refer to a sentence before, where there is none.

const anaphors =
  /如(?:前|上)所(?:述|说|言)|对此|由此(?:可见|可知|看来|可以|推断|得出|及彼)?|为此(?!次)|据此|至此|(?:这样|这么|如此)(?:做|说|写|处理|安排|设计|规定|认为|一来|的(?:做法|说法|安排|结果|原因|设计|目的|好处|话|人|情况|观点|行为))|这么一来|与此(?:同时|相关|类似)|除此(?:之外|以外)?|其中(?:所)?(?:提到|提及|说到|讲到|讲|列|描述|介绍|写|谈|包含|包括|有|的|最|哪|第)|(?<![之以])前者|后者(?!视)|(?<!前|后)[两二三]者(?!必|择|选|不可|兼|取)|从中(?=找|选|挑|摘|概括|提炼|提取|归纳|总结|列|指出|推断)|(?:其|它)(?:主要|优点|缺点|优势|劣势|作用|特点|特征|原理|原因|目的|含义|意义|影响|背景|结果|价值|功能|用途|步骤|中的)|(?:刚才|刚刚|方才|先前|前面|上面|上边|之前|此前|上回|上次|你前面|你刚才)(?:所|我|你|您|他|已经|曾|们){0,2}(?:说|讲|提|问|聊|谈|列|给|介绍|写|举|推荐|描述|讨论|出现|回答|分析|总结)(?:到|及|过|出|起|了)?的|(?:刚才|刚刚|方才)(?:那|这|的)(?:个|段|篇|些|种|道|问题|话|答案|回答|内容)|接着(?:上面|上文|刚才|前面)|(?:这|那)(?:次|回)(?:的)?(?:活动|会议|比赛|事件|事故|调查|实验|研究|改革|行动|展览|培训|考试)|此处|(?:上面|上边|前面|以上|上述|前述)的?(?:第[一二三四五]|那|这|[两三四五几](?:点|者|种|项|条|个)|话|例子|说法|做法|方法|步骤|代码|答案|结果|结论|内容)/gu

function anaphora(instruction: string, plain: string): string | null {
  for (const found of plain.matchAll(anaphors)) {
    const before = plain.slice(0, found.index)
    if (subjectOf(before.replace(/^(?:那么?|而|所以|因此|但是?|另外|此外)/u, '')).length >= antecedentLettersMin)
      return null
    // 这样做：…, 其中的: what follows a colon or a quote is the text.
    if (materialIn(instruction, found.index).items || namesWork(instruction)) continue
    return found[0]
  }
  return null
}

/** 结合材料，说明…; not 参考资料, 基于文本的检索, 材料科学. */
const byText =
  /(?:根据|结合|联系|依据|按照|围绕|综合|针对|参照|依托|通读|细读|默读|回顾|品读|研读)(?:这|该|本|给出的|你的)?(?:短文|课文|文章|材料|文本|对话|原文|资料|段落|选段|选文|全文|上下文|文意|题意|正文|文段|文字|语段|链接|网页|附件|视频|图片)(?!类|体|学|性|的(?:种|性|类|长|特)|力|强|硬|厚|费|成本|本身|库|夹|框|格式|大小|中心)|(?:结合|联系|根据|针对|参照)(?:语境|题目|例句|例文|上句|下句|前后文|前后内容|前后情节|前后段落)(?=[，,、。]|回答|说明|分析|谈|概括|解释|体会|理解)|(?:仿照|仿|模仿|参照|依照|按照)(?:所给|上面|下面)?的?(?:例句|例子|示例|样例|例文|范文|上例|例题|原句|样句)|(?:打开|点开|访问|浏览|查看|点击|阅读|观看|听)(?:以下|下面|这个|这段|该)?的?(?:链接|网页|网址|附件|文档|图片|视频|录音|音频)(?=[，,。、]|$|后|并|回答|完成|概括|总结)|(?<![短微长个])(?:视频|图片|照片|画面|漫画|录音|音频|链接|网页|截图)(?:中|里|上)(?:的|有|那)?(?:人(?!工|气|脸|像)|老人|男|女|孩子|小孩|动物|有什么|有哪|有几|发生|为什么|第|他|她|这|那|是谁|是什么)|(?<![\u4e00-\u9fff])(?:网页|链接|附件|文档|邮件|截图)的(?:内容|主要|大意|主题)/u

// Words that always point at a text or a picture.

/** 文 that does not begin another word: not in 世界上文盲率, 后文艺复兴. */
const textWord =
  '文(?![化言学科件档艺官盲身旅玩火献教凭员豪坛史笔书]|物[^，。]{0,2}(?:是|保|古)|章|本(?!来)|字(?!中|里)|明(?!确|显|示)|体(?!现|会)|具(?!体|有)|案(?!例))'
const absoluteTexts = new RegExp(
  [
    `上${textWord}`,
    `(?<!上)下${textWord}`,
    `[前后]${textWord}`,
    // Not 古文中, 英文中, 论文中: texts of a kind.
    '(?<![语课作征散论中人天公条古英日外法德俄韩泰蒙藏满梵汉译诗碑祭经])文中(?!子)',
    '(?<![论征散作])文内',
    '(?<![论征散作])文末(?!尾注)',
    `(?<!还|[英日外法德俄韩古中]文)原${textWord}`,
    `(?<![一这那日版成样课剧文资标根基原两])本${textWord}`,
    `(?<![因如彼从至])此${textWord}`,
    `(?<![应活])该${textWord}`,
  ].join('|'),
  'u',
)

/** Before the name of a picture or a table without a kind: not 统计图中, 周期表中. */
const noKind = '(?:(?<![\\u4e00-\\u9fff])|(?<=[从在由看据对把与和如用以的及见读将]))'
/** After the number of a picture: 表1中的数据; not 材料一般分为. */
const numberEnds = '(?=[中里内的和与及、，,。：:；？?]|$|主要|反映|说明|表明|显示|提到|认为|是|所)'
/** What questions of how to do something speak of, too: 怎样根据表格生成图表. */
const absoluteParts = new RegExp(
  [
    '根据表格',
    `${noKind}图中(?!学)`,
    '图示',
    `(?<!地)图[一二三四五六七八九1-9]${numberEnds}`,
    `${noKind}表中`,
    `(?<![列年课仪])表[一二三四五1-9]${numberEnds}`,
    `材料[一二三四五六1-6]${numberEnds}`,
    '(?<!合同|邮件|协议|文件)附件[一二三1-3]?(?:中|里|内|的|所)',
    '空格(?:处(?!理)|里)',
    '括号(?:里|中|内)(?:的|应|填|可)',
    '选项(?:中|里)',
    '横线(?:上|处)',
    '(?:文章|小说|课文|故事|报道|新闻|视频|录音|对话|图片|照片|画面|诗|诗歌|诗中|漫画|片段|节选|剧本|节目)(?:中|里)(?:的)?(?:主人公|主角|作者|“我”|我(?!国)|他|她|提到|提及|写到|说|描写|描述|讲|出现|认为|列举|举|人物|哪)',
  ].join('|'),
  'u',
)

const absolute =
  /(?:上|下|左|右|附)图(?!书|纸|像处|文|片|右史)|(?:上面|上边|前面|上述|以上|下面)(?:所)?(?:提到|说到|提及|讲到|列出|描述)的|如图(?!书|文|像|片)|由图可?知|(?<![公等不形模方款格])[上下此]式(?!各|样)|选段(?:中|里|的|内)|(?:见|打开|查看)附件|(?<![以])(?:上|下|附)表(?!现|示|达|面|明|扬|演|格|态|白)|选文|题干(?!式)|加点(?:的)?(?:字|词|句|部分)|画线|划线(?:的)?(?:句|部分|词|处)|下划线(?:的)?(?:句|部分|词|处)|空白处|阴影部分|(?:这|本|该|上|下|前)(?:一)?(?:段|句)(?:话|文字|文本|文|中|里|内容)|题目中(?:的|给)|(?:表格|图表|统计图|数据)(?:中|里)哪|(?:选出|选择|找出)[^，。：:]{0,12}(?:的)?(?:一项|选项|那一个)|(?<!怎样|如何|怎么)根据(?:题意|文意|题目|原题|图意|图表|图片|语境)|(?:上|下)(?:一)?题|以上(?:\S{0,4})?(?:内容|文字|信息|材料|资料|文本|段落|对话|描述|叙述|说法)|阅读(?:短文|材料|文章|文段|语段|选段|全文(?!检索|搜索|索引)|文本)|短文(?:中|里|的|主要|内容|讲)|(?<!怎样|如何|怎么)根据(?:短文|课文|文章|材料|文本|对话|原文|资料|段落|选段)(?!类|体|学|性|的种)|(?:材料|资料|文本|文段|语段|选段|文字)(?:中|里)(?:的|所|提|描|出|说|讲|有|哪|，)/u

/**
 * Asks how to do something, with any text or picture: 怎样根据图片搜索商品, 网页的内容怎样保存. Not how something in a text was
 * done or is to be understood: 怎样理解这句话, 主人公怎样克服困难.
 */
const asksHowTo =
  /(?:怎样|如何|怎么)(?!理解|看待|评价|体会|描写|表现|描述|刻画|展现|概括|归纳|分析|解释|回答|解答|翻译|得出|推出|写的|说的|做的|约定|规定|变化|克服)[\u4e00-\u9fff]|怎么办/u

/** What only those know who have the file or the thread: 附件里的表格怎么填, 视频里的人是怎样安装的, 同意一楼的看法吗. */
const elsewhere =
  /(?<!合同|邮件|协议|文件)(?:附件|链接|网盘|压缩包|群文件)(?:里|中|上)的[^，。？！]{1,10}(?:怎么填|怎样填|如何填|在哪|哪里|密码|是什么意思)|(?:视频|录音|图片|照片|录像|短片)(?:里|中)的(?:人|男|女|他|她|师傅|老师|孩子)[^，。？！]{0,6}是(?:怎样|如何|怎么)[^，。？！]{1,12}的|(?:[一二三四五六七八九\d]{1,3}楼|楼上|楼下|沙发)的(?:看法|观点|说法|意见|回复|建议|兄弟|朋友|网友)|^(?:请)?(?:认真|仔细)?(?:阅读|听|看|读)(?:一?段|一?篇|下?面的?)?(?:对话|短文|录音|材料|片段|语段)[，,](?:并|再|然后)?(?:回答|完成|选择)(?:下?面的?|以下|相关)?(?:问题|题目)?[：:][^：:\n]{2,24}[？?]$/u

/** What a notice or a letter says, which nobody has seen: 通知规定的报名日期是哪一天, 对话中的女士想买什么, 参考前一章. */
const ofNotice = new RegExp(
  [
    '^(?:请问)?(?:通知|公告|告示|启事|海报|传单|请柬|说明书|合同|协议|邮件|来信|信|便条|日程表?|菜单|名片|题目|试题)(?:中|里|上)?(?:所|明确|已)?(?:规定|要求|写|提到|约定|给出|注明|列出|说明|印|标明)(?:着|了)?的[^，。？！]{1,16}(?:是什么|是多少|是几|是哪|是谁|有哪些|有几|在哪|几点|什么时候)',
    '^(?:请问)?(?:海报|邮件|通知|传单|请柬|名片|来信|信|便条|菜单)(?:中|里|上)的[^，。？！]{1,12}(?:是什么|是多少|是几|是哪|是谁|在哪|几点)',
    '^(?:规定|合同|协议|条例|办法|通知|公告)的?第[一二三四五六七八九十\\d]{1,3}条[^，。？！]{0,8}(?:是什么|是怎么|怎么说|有什么|规定了)',
    '^(?:请问)?(?:访谈|采访|对话|谈话|讲座|演讲|节目|录音|视频|短片|纪录片|剧)(?:中|里)[，,]',
    '(?:对话|故事|录音|短文|新闻|采访|访谈|谈话|讲座|聊天记录|文章|小说|课文|影片|剧)(?:中|里)的(?:那位|那个|这位|两个|两位|几位|一位)?(?:女士|男士|老人|男孩|女孩|孩子|小孩|人(?!工|物|称|际|力|性)|母亲|父亲|妈妈|爸爸|司机|老师|医生|学生|顾客|店员|双方)',
    '(?:参考|参照|根据|依据|结合|参见|见|按照|回顾|翻到)(?:前|上|下|后)(?:面)?(?:的)?(?:一|两|几)?个?(?:章|节|页|课|单元|小节)(?!课|目|假|日|约|省)',
    '^(?:请)?(?:你|您|同学们?)?(?:先|仔细|认真)?(?:看|读|观察)图(?:[，,。]|写|说|回答|填|列|作文|完成|选|连|讲|编)',
    '(?:由|从|据|看)[图表](?:\\d|[一二三])?(?:可知|可见|可以看出|能看出|得知)',
    '(?:观看|看|听|读|观赏|欣赏)完?(?:了)?(?:这[段个部])?(?:视频|录音|短片|影片|音频|课文|材料)(?:之?后|以后)[，,]',
    '^(?:请)?再(?:写|来|给|举|列|生成|换|编|说|想)(?:出|我)?[一两几]?(?:个|首|篇|段|条|些|遍|次|句|道)(?![^，。]{0,3}(?:关于|以|描写|介绍|讲))',
    '(?:检查|修改|润色|批改|看看|看一下|点评|翻译|优化|校对|改写|评价)(?:一?下)?(?:我|咱们?)(?:写|做|画)?的(?:作文|简历|代码|论文|文章|日记|报告|诗|信|稿子|演讲稿|文案|方案|答案)',
    '^(?:小说|课文|故事|文章|短文|剧本|散文)的?(?:结尾|开头|末尾|最后|中间|中)[^，。？]{2,24}[，,](?:这样|这么|如此|有什么|为什么)',
    '^(?:老板|亲|客服|楼主|卖家|师傅|店家|掌柜)[，,](?!作为|是|这)',
    '原句(?:中|里|的|改)',
    '(?:截图|图片|照片|画面|海报)(?:里|中|上)?(?:报|显示|写|画|拍|印)的',
    '结合(?:图表|图文|图示|数据表|示意图|统计图)[，,、]',
    '^(?:男孩|女孩|老人|小女孩|小男孩|男人|女人|年轻人|孩子们?)(?:最后|当时|那天|后来|最终)[^，。]{0,8}(?:为什么|怎么|做了|去了|说了|决定)',
  ].join('|'),
  'u',
)

/** The text is yet to be written: 写一个童话，故事中的孩子…. */
const makesText =
  /(?:写|编|创作|构思|设计|虚构|拟|拍摄)(?:出|好)?一?[个篇则首段份张部封](?!读后感|观后感|评论|书评|影评)[^。？！]{0,24}[，,；;]$/u

/** Pictures and files cannot be in an instruction at all; texts can. */
const pictured = /图|表[一二三1-9中]|附件|阴影|画线|划线|加点|横线|空格|空白/u

function absoluteReference(instruction: string, plain: string): string | null {
  const found =
    absoluteTexts.exec(plain) ??
    absolute.exec(plain) ??
    elsewhere.exec(plain) ??
    (asksHowTo.test(plain) ? null : (absoluteParts.exec(plain) ?? byText.exec(plain) ?? ofNotice.exec(plain)))
  if (found === null || (makesText.test(plain.slice(0, found.index)) && !absoluteTexts.test(plain))) return null
  const [words] = found
  if (pictured.test(words)) {
    // 填空：春眠不觉晓，____。 · a table in the instruction
    if (/_{2,}|（\s{0,8}）|\(\s{0,8}\)|□|\|.{1,200}\|/u.test(instruction)) return null
    return materialIn(instruction, found.index).text && !/图(?!书)|附件|阴影/u.test(words) ? null : words
  }
  // A quote behind it is a phrase of the text: 文中的“内卷”.
  if (namesWork(instruction.slice(0, found.index)) || /《/u.test(instruction)) return null
  const phrase = /^[^：:，。]{1,12}[“「『]/u.test(instruction.slice(found.index + words.length))
  return materialIn(instruction, found.index).text && !phrase ? null : words
}

// 以下, 上述, 所给 … with what they point at.

const pointers =
  /以下|下列|下面|下边|下方|如下|上述|上面|上边|上方|前述|前面|以上|所给|给定的|给出的|已给的|所附|附上的|附带的|附加的|(?:所|您|你|我)提供的|提供的(?=文|材|资|段|句|信息)|(?:这|那|该|此)(?:一|几|两|三|些)?(?:\s?\d)?(?:段|篇|则|句|首|封|份|条|幅|张|道|组|副|个|本|部|节|章|些|项|支|集|期)(?!时间|历史|感情|经历|日子|婚姻|恋情|旅程|路|关系)|(?:这|那|此)(?=文章|文字|文本|短文|段落|句话|材料|图片|照片|题|诗|首诗|故事|小说)/gu

/** What is worked with as a whole: the instruction must contain it, or name it as a work. */
const texts =
  '文字|文本|文章|短文|文段|语段|段落|段话|话(?!题|语|剧|费|术)|材料|资料|对话|谈话|新闻|报道|消息|简历|邮件|信件|来信|信(?!息|号|用|任|心|仰|念)|通知|公告|论文|作文|评论|留言|帖子|小说|故事|诗|古诗|诗歌|诗句|词作|散文|寓言|童话|课文|文言文|片段|选段|节选|内容|信息|文档|文件|报告|描述|叙述|陈述|介绍|说明|稿|合同|病历|案例|案情|情景|情境|图片|图像|图表|图|照片|表格|表(?!现|示|达|演|面)|画(?!家|面)|漫画|视频|音频|录音|链接|网页|网址|网站|歌词|台词|剧本|观点(?!是)|言论|摘要|英文|中文|原文|译文|字幕|代码|程序|函数|数据|列表|清单|日志|配置|报错'
/** What is worked with one by one: anything after a colon will do. */
const items =
  '句子|语句|句|词语|单词|词组|词|成语|短语|字(?!数)|汉字|生字|拼音|数字|数列|数组|数(?!学)|算式|式子|方程|公式|表达式|题目|题|问题|选项|说法|名词|术语|概念|人物|事件|国家|城市|地点|作品|书籍|物品|物质|动物|植物|食物|食材|要求|条件|主题|关键词|标题|步骤|填空|做法|方法|现象|措施|操作|原因|特点|情形|行为|规定|条款|建议|技巧|原则|过程|活动|地区|公司|产品|方面|角度|几点|情况|场景|格式|模板|例子|示例|字符串|角色|项目|选择|哪'
/** Words between a pointer and its noun: 以下两段, 下面这篇英文. */
const between =
  '(?:的|这|那|一|两|二|三|四|五|六|几|些|个|段|篇|则|句|首|封|份|条|幅|张|道|组|项|种|位|部|本|节|位|\\s|\\d|给出|给定|所给|提供|有关|相关|英文|中文|英语|古|现代|文言|长|短|简短|科技|财经|体育|娱乐|新闻|数学|语文|历史|产品|用户|顾客|学术|论文|技术|会议|采访|电影|原始|python|java|sql|html|c\\+\\+){0,8}'
const pointedAt = new RegExp(`^${between}(?:(${texts})|(${items}))`, 'iu')
/** 18岁以下, 零度以上. */
const measured = /[\d〇零一二三四五六七八九十百千万岁度℃元级米年月日人斤克%％层楼个页分吨线厘倍名位辆户本科学及时点]$/u

function pointer(instruction: string, plain: string): string | null {
  for (const found of plain.matchAll(pointers)) {
    const [word] = found
    const before = plain.slice(0, found.index)
    if (/^以[上下]/u.test(word) && measured.test(before)) continue
    const noun = pointedAt.exec(plain.slice(found.index + word.length, found.index + word.length + 40))
    if (noun === null) continue
    if (/^(?:以上|上述|前述|上面)/u.test(word) && saidBefore(before)) continue
    const near = /^[这那该此]/u.test(word)
    // 敖包相会这首歌, 竹子开花这一现象: named before. 桌子上面的图片: a place. Not 用Python重写这段代码.
    const clause = before.slice(before.search(/[^，。；：！？,;:!?\n]*$/u))
    const subject = near ? subjectOf(before) : subjectOf(clause)
    const isObject =
      near && noun[1] !== undefined && /(?:[写改译读看听析释述括解查把将对给据]|优化|完善|解释)$/u.test(before)
    if (subject.length >= (near ? antecedentLettersMin : 1) && !isObject && !/^(?:以下|下列|上述|所给)/u.test(word))
      continue
    const material = materialIn(instruction, found.index)
    if (noun[1] !== undefined ? material.text || isListed(instruction, found.index) : material.items) continue
    if (near && namesWork(instruction)) continue
    return word + noun[0]
  }
  return null
}

/** A sentence with a subject before: 什么是通胀？上述现象…. */
function saidBefore(before: string): boolean {
  const end = before.search(/[。？！?!\n][^。？！?!\n]*$/u)
  return end > 0 && subjectOf(before.slice(0, end)).length >= antecedentLettersMin
}

/** The text is in the instruction without a colon: code, or a second paragraph. */
function isListed(instruction: string, from: number): boolean {
  const tail = instruction.slice(from)
  return /[{}();=]{2,}|\n\s{0,8}\S.{11}/u.test(tail) || /[：:]\s{0,8}\S.{11}/u.test(tail.replace(/[^。\n]*[？?]/gu, ''))
}

// 该公司, 这件事, 他 … at a place where nothing was named yet.

const demonstratives =
  /(?<![应不活本])该(?!不|如何|怎|做|去|吃|选|是|由|给|在|从|用|注意|买|学(?!校|生|院|科|者|派|说|期)|说(?!法)|有(?!限|机)|为|把|对|向|让|带(?!领)|穿|看|写|读|准备|多|何|谁|死|当|干|国有|来|要|采取|选择|换|补|喝|放|打|找|交|先|关注|从)[\u4e00-\u9fff]|(?:这|那)(?=[\u4e00-\u9fff])(?!达慕|曲|不勒斯|霸|英|辈子|一生|里|儿|时|样|么|边|就|是(?!谁)|会|能|可|要|将|也|都|在|对|与|和|次|个(?:世界|夏天|冬天|春天|秋天|季节|时代|社会|年纪|年龄|星球|月|周末|学期|假期|问题上|过程|阶段|领域)|些年|些日子|种情况下|一(?:年|天|代|时期)|几(?:年|天))|(?:此次|本次|本届|该次|此前的)(?=[\u4e00-\u9fff])|(?<![因如彼从至在为由据特就以与故对自借])此(?!地无银|起彼)(?=人|事|题|诗|句|图|表|项|类|种|法|方[法案]|案|地|物|公司|书|处|举|观点|现象|说法|产品|技术|药|病|疾|活动|政策|理论|问题|文件|次)|(?<![一这那日版成样课剧文资标根基原两])本(?=公司|产品|合同|案|店|校|课|章|节|段|题|书(?!籍)|条例|办法|通知|公告|规定|协议|项目|集团|品牌)/gu
const pronouns =
  /(?<![其吉维排无利顺])(?:他们|她们|它们|他(?![人国乡杀山律汀日处字])|她(?![字]|经济|力量)|它(?!字|山之石)|(?:两|二|三)人(?=是|的|为|之间|最后|怎|如何|在|都|谁|有什么|后来|什么))/gu
/** People of a text who have no name in an instruction. */
const roles =
  /(?<![一个位名])(?:作者|笔者|主人公|男主|女主|主角|楼主|题主|层主|博主|小编|当事人|被告(?!人的权利)|原告|受访者|说话人|发帖人)/gu

/** Behind a role that is asked about as a word: 楼主是什么意思, 小编这个职业. */
const aboutWord = /^.{0,8}(?:是什么意思|指什么|这个(?:词|职业|称呼|称谓|角色)|[和与].{1,6}(?:区别|不同|异同))/u

const pointsAtItem = new RegExp(`^[这那该此][一几两三些]?[个些道句种项位]?(?:${items})`, 'u')

function demonstrative(instruction: string, plain: string): string | null {
  for (const pattern of [demonstratives, pronouns, roles]) {
    for (const found of plain.matchAll(pattern)) {
      const before = plain.slice(0, found.index)
      if (subjectOf(before).length >= antecedentLettersMin) break
      const role = pattern === roles
      const after = plain.slice(found.index + found[0].length, found.index + found[0].length + 6)
      // 作者 as a subject of its own: 作者权, 作者如何署名.
      if (
        role &&
        (namesWork(instruction) ||
          aboutWord.test(plain.slice(found.index + found[0].length, found.index + found[0].length + 24)) ||
          /^(?:如何|怎样|怎么|应|需|可以|能|光环|权|署名|通常|一般|投稿|身份|有哪些权)/u.test(after))
      )
        continue
      // 作者为什么说“…”: a phrase of the text.
      const isPhrase = role && /^(?:为什么|为何|把|称|说|用)/.test(after)
      const material = materialIn(instruction, found.index)
      if (
        (material.text && !isPhrase) ||
        (material.items && pointsAtItem.test(plain.slice(found.index, found.index + 8)))
      )
        continue
      // 这个词：“内卷”, 这句诗“…”: named right after.
      if (/^(?:这|那|该|此)/u.test(found[0]) && /[〇]/u.test(plain.slice(found.index, found.index + 12))) continue
      return found[0] + after.replace(/[，。？！：；,?!:;\s].*$/u, '').slice(0, 3)
    }
  }
  return null
}

// 文章的主旨, 故事讲了什么: a text as the subject, without its name.

const subjectTexts =
  /(?<![\u4e00-\u9fff〇])(?:文章|全文|小说|故事|短文|课文|诗歌|诗|这诗|选段|选文|节选|片段|语段|正文|文档|帖子|材料|文本|文段|段落|对话|视频|报道|新闻|影片|电影|漫画|图片|照片|节目|演讲|案例|题目|句子)(?:中|里)?(?:的)?(?:主要|最后|开头|结尾|第[一二三四五六七八九十])?(?:的)?(?:主旨|中心(?:思想|内容|意思|论点|句)?|主要内容|核心(?:内容|观点|思想)|基本内容|大致内容|层次|段意|主人公|主角|结局|作者|大意|论点|主要观点|寓意|感情基调|写作背景|主要人物|讲|写了|写的|介绍了|描述了|描写了|叙述了|说了|说的|说明了|告诉|表达了|表达的|提到|提及|阐述|论述了|反映了|揭示了|出现了|为什么|段|一段|自然段)(?![^，。？]{0,4}(?:一般|通常|往往|常常|总是|大多|应当|应该|可以|(?:怎么|怎样|如何)(?:提炼|概括|归纳|写|确定|把握)))/u

/** Before a text of a kind: 怎样概括一篇文章的主要内容. */
const anyText = /(?:怎样|如何|怎么)[^，。]{0,6}一[篇段部首则个幅张]$/u

function partOfText(instruction: string, plain: string): string | null {
  // Read from the first clause that has something besides a request: 请概括文章的主要内容.
  for (const clause of plain.split(/[，。；：！？,;:!?\n]/u)) {
    const start = requestEnd(clause)
    const found = subjectTexts.exec(clause.slice(start))
    if (found === null || found.index > 0 || anyText.test(clause.slice(0, start))) continue
    if (namesWork(instruction) || materialIn(instruction, 0).text) return null
    return found[0]
  }
  return null
}

/** Returns where the words of a request at the start of a clause end. */
function requestEnd(clause: string): number {
  let at = 0
  while (at < clause.length) {
    const length = requestWords.lengthAt(clause, at)
    // 选 and 文 are words of a request, 选段 and 选文 are not.
    if (/^(?:选段|选文|题目|段落)/u.test(clause.slice(at, at + 2))) break
    if (length === 0 || /^(?:话|字|句|段|题)/u.test(clause.slice(at))) break
    at += length
  }
  return at
}

// 第二题, 第三段.

const numbered =
  /第\s?[一二三四五六七八九十两\d①-⑩]{1,3}\s?(?:小?题|自然段|段(?!婚|恋|感|关|旅|路|历|时|职|经)|大题|个问题|个空|空|幅图|张图|图|句(?:话|诗)?|问|则材料|选项)/u

function numberedPart(instruction: string, plain: string): string | null {
  const found = numbered.exec(plain)
  if (found === null || namesWork(instruction) || materialIn(instruction, 0).text) return null
  return subjectOf(plain.slice(0, found.index)).length >= antecedentLettersMin ? null : found[0]
}

// 首段, 结尾为什么这样写: a place in a text that is not named.

const places =
  /[首末尾头]段|(?:开头|结尾|末尾|最后|开篇)(?:的)?[一那这]?(?:段|句)(?!时|婚|恋|感|关|旅|路|历|经)|(?<![\u4e00-\u9fff])(?:开头|结尾|末尾|标题|题目)(?:处|部分|一句|的句子)?(?:的)?(?:为什么(?:要)?(?:这样|这么|用|写|说|引)|(?:有|起到?了?)(?:什么|何|怎样的)(?:作用|好处|含义|深意|妙处|特点|效果)|写了|描写了|交代了|运用了|采用了|引用了?|表达了|照应了)/u

function placeInText(instruction: string, plain: string): string | null {
  const found = places.exec(plain)
  if (found === null || namesWork(instruction) || materialIn(instruction, 0).text) return null
  return subjectOf(plain.slice(0, found.index)).length >= antecedentLettersMin ? null : found[0]
}

// 我们学校什么时候开运动会, 贵公司的联系方式: facts of those who speak.

const acquaintances =
  /^(?:请问)?(?:我们?|咱们|[你您]们?|贵)(?:的)?(?:公司|学校|班级?|校|店|单位|村|小区|家|厂|医院|司|方)(?:里|上)?(?:的)?[^，。；：！？,;:]{0,12}(?:什么时候|何时|几点|几号|在哪|是谁|有谁|多少|有几|联系方式|电话|地址|联系人|主营业务|营业时间)[^，。；：！？,;:]{0,10}[？?]$/u

function acquaintance(plain: string): string | null {
  return acquaintances.exec(plain)?.[0].slice(0, 12) ?? null
}
