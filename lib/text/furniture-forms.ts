/**
 * Forms of furniture by their shape: fields to fill in, filters of a list, messages of the server, calls to act. Every pattern
 * is anchored and used on lines of bounded length.
 */

/** Two or more names of fields without values: 昵称： 邮箱： 网址：. */
export function isEmptyForm(line: string): boolean {
  return emptyForm.test(line)
}

const fieldNote = '(?:[（(][^（）()]{1,20}[）)]|\\*|请选择[^\\s：:]{0,6})'
const emptyForm = new RegExp(`^(?:[^\\s：:。，！]{1,10}[：:] ?(?:${fieldNote} ?){0,3}){2,}$`)

/** Returns a field's name without the note behind it: 您的姓名：（必填）. */
export function withoutFieldNote(line: string): string {
  return line.replace(fieldTail, '')
}

const fieldTail = /[：:] ?(?:[（(](?:必填|选填|可选|必须)[^（）()]{0,12}[）)]|\*|请选择\S{0,6}(?: 请选择\S{0,6})?)$/

/** Choices of a list: 按地区：全部 内地 香港; 排序：默认 价格 销量. */
export function isListFilter(line: string): boolean {
  return listFilter.test(line)
}

const listFilter =
  /^(?:按[^\s：:，。]{1,5}|排序(?:方式)?|筛选|类型|地区|年代|年份|价格|品牌)[：:] ?(?:全部|不限|默认|最新|最热|仅显示)(?: |$)/

/** Messages of the software instead of a text. */
export function isMessage(line: string): boolean {
  return message.test(line)
}

const message =
  /^(?:该|此|您访问的|你访问的|您查看的|您要找的|您所访问的)(?:评论|内容|帖子|文章|用户|用户主页|页面|网页|视频|图片|主题|信息|商品).{0,12}(?:删除|审核|屏蔽|不存在|失效|过期|下架|暂时没有内容|没有找到)|^暂无(?:评论|动态|收藏|相册|数据|内容|图片|信息|记录|简介|描述|回复|留言|点评|公告|标签|更多|相关)|^(?:暂时)?(?:还)?没有(?:任何)?(?:评论|点评|回复|留言|内容)|^(?:您|你)(?:还没有|尚未|需要|没有)(?:登录|登陆|注册)|^(?:\S{1,4}秒|\d{1,2} ?秒).{0,6}(?:自动)?(?:跳转|返回)|^(?:正在|图片|页面|视频|内容)?(?:加载|缓冲|跳转)(?:中|失败)|^还可以输入 ?\d|^已有 ?\d{1,6} ?(?:条|人)(?:评论|参与|回复)|^共(?:有)? ?\d{1,7} ?(?:条|人|篇|个)(?:评论|人?参与|回复|记录|跟帖)|Powered by|Processed in \d|GMT\+8,/

/** Calls to act that stand by themselves, mostly behind a text. */
export function isCall(line: string): boolean {
  return call.test(line)
}

const call =
  /^(?:请|欢迎|立即|赶快|快来|大家)?(?:(?:用)?(?:微信|手机|QQ)?(?:扫描?|识别)(?:下方|上方|右侧|左侧|文末|图中|以下|一扫)?.{0,6}(?:二维码|小程序码)|(?:微信)?扫一扫|扫码(?:关注|下载|加|进|领|添加|咨询|报名)|长按(?:识别|图片|二维码|上方|下方)|关注(?:我们(?:的(?:微信|微博|公众号|官方|抖音)|[，,！!]|$)|公众号|微信|本公众号|本站|官方)|微信搜索|搜索(?:微信)?公众号|(?:添加|加)(?:小编|老师|客服)?微信(?!好友)|点击(?:上方|下方|左下角|右上角|文末|蓝字|阅读原文|“阅读原文”)|戳(?:下方|这里|原文|阅读原文))|^(?:更多|想了解更多|想看更多|了解更多|获取更多|查看更多).{0,24}(?:请(?:加|关注|点击|访问|登录|搜索|联系|咨询|扫|持续|继续)|尽在|敬请关注|欢迎关注|可关注|加微信|请见|，关注)|^(?:如果|如)?(?:您|你)?(?:喜欢|觉得).{0,20}(?:点赞|转发|收藏|关注|分享|打赏|在看).{0,16}$|^(?:记得|别忘了|欢迎)(?:点赞|转发|收藏|关注|分享|留言|评论)/

/** Calls to log in, to pay or to go elsewhere for the rest of a text. */
export function isPaywall(line: string): boolean {
  return paywall.test(line)
}

const paywall =
  /(?:登录|登陆|注册|付费|购买|开通会员|下载(?:客户端|APP|App|app)|扫码|关注公众号).{0,12}?(?:后|即可|继续|才能).{0,6}?(?:阅读|查看|观看|畅读|解锁|收听)(?:全文|全本|完整|更多|余下|后续|剩余|详细|答案|内容)|^[【（([]?(?:本文)?未完(?:待续)?.{0,12}(?:登录|付费|点击|下一页|下载|会员)|^(?:后续|余下|剩余|下文|完整)(?:精彩)?(?:内容|章节|部分|剧情|情节|全文|版).{0,16}(?:请|需|登录|下载|付费|关注|点击|扫码)/

/** Lines that offer the rest of a text. */
export const readOnWords: ReadonlySet<string> = new Set(
  '阅读全文 查看全文 展开全文 点击阅读全文 点击查看全文 全文 阅读更多 查看更多 点击查看更多 继续阅读 点击继续阅读 展开阅读全文 查看详情 查看详细 详细 详情 更多 阅读原文 点击阅读原文 查看原文 展开 点击展开 点击展开全文 展开剩余内容 查看剩余内容 下一页'.split(
    ' ',
  ),
)
