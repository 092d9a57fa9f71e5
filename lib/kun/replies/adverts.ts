/**
 * Finds advertising in an answer: words of a shop about itself, and calls to buy, scan or follow. An answer *about* advertising says
 * such words in quotes, of others, or because the instruction asks for a text of this kind.
 */

/** The instruction asks for words of a shop: 写一段促销文案, 客服怎么回复顾客. */
const asksForAdvert =
  /广告|文案|话术|促销|推广|宣传|营销|海报|客服|开场白|招商|招聘|店铺|网店|公告|通知|邀请|主播|直播|带货|启事|传单|短信|朋友圈|公众号|自媒体|微商/u

/** A shop that speaks of itself. */
const shop = '(?:本店|我店|小店|本公司|我司|我公司|本厂|我厂|本社|我们(?:店|公司|厂|平台|机构|工作室|团队))'
const offers =
  '(?:新品|新茶|新款|新到|现货|特价|特惠|促销|优惠|包邮|批发|零售|主营|专营|专业|长期|承接|提供|供应|诚招|招收|欢迎|支持|推出|热销|正品|保证|价格|售后|上门|免费|送货|定制|正在)'

/** At the start of a clause, where a sentence addresses its reader. */
const clause = '(?:^|[，。！？；：,!?;\\n\\s（(])'
const calls =
  '(?:请|请您|您可以?|你可以?|可以?|可|也可以?|还可以?|欢迎|快来|赶紧|赶快|立即|立刻|马上|现在就?|就来|记得|别忘了|不妨|即可|大家可以?|朋友们?可以?|感兴趣的(?:朋友|读者|话)?(?:可以)?|需要的(?:朋友|话)?(?:可以)?|如需[^，。]{0,12}|想[^，。]{0,12}[，,]?|更多[^，。]{0,12}|详情|具体|如有(?:需要|兴趣)?[^，。]{0,6}[，,]?){0,3}'

const patterns: readonly RegExp[] = [
  new RegExp(`${shop}[^。！？\\n]{0,16}${offers}`, 'u'),
  new RegExp(
    `${clause}${calls}(?:点击|戳|点开)(?:下方|上方|下面|文末|文中|左下角|右下角|屏幕|页面|阅读|这里|此处|以下)[^。！？\\n]{0,12}(?:链接|按钮|原文|图片|购买|下单|领取|报名|咨询|预约)`,
    'u',
  ),
  new RegExp(
    `${clause}${calls}(?:扫描?码?|长按|识别|关注|搜索|添加|加入|加)(?:一下|下方|上方|下面|文末|图中|右侧|我们的?|我的?|本站|本店|本|官方|微信)?的?(?:微信)?(?:公众号|二维码|订阅号|服务号|官方微信|视频号|微信群|交流群|qq群)(?!的?(?:运营|营销|功能|文章|粉丝|平台|是|可|有|支付|点餐|付款|登录|时|后(?!台)|之后|以后|会|要|容易|不))`,
    'iu',
  ),
  new RegExp(
    `${clause}${calls}(?:致电|来电|拨打|联系|咨询|私信|询问)(?:本店|我店|我们|我|本公司|我司|店主|店家|卖家|在线|小编|官方|全国|统一|免费|24小时|人工)(?:的)?[^。！？，\\n]{0,8}(?:咨询|领取|购买|下单|获取|报名|预约|订购|客服|热线|电话|了解|[！!。]|$)`,
    'u',
  ),
  new RegExp(
    `${clause}${calls}(?:扫码)?(?:加|进|入)(?:粉丝|交流|微信|qq|我们的?)?群(?!居|体|众)|私信(?:我们?|小编|店主|店家)(?![^。，]{0,3}[骂问])`,
    'iu',
  ),
  /欢迎(?:新老|广大|各位|各界|您|你)?(?:客户|顾客|朋友|茶友|用户|车主|业主|家长|同学)?们?(?:前来|随时)?(?:下单|抢购|私信|选购|选用|购买|订购|进店|来电|致电|来函|洽谈|加盟|代理|光临本店|咨询(?:本店|购买|订购))/u,
  /(?:赶紧|立即|马上|速来|快来|点击|尽快|现在)(?:下单|抢购|私信|选购|购买)(?:立?享|即可|有|可|吧|[！!])/u,
  /(?:下单|拍下|购买)(?:即|立|就|可)?(?:享|送|减|打)[^。，]{0,8}(?:折|礼|元|优惠|包邮)|新客立?减|量大(?:从优|价优)|诚[招征][^。，]{0,8}(?:代理|加盟)|(?:领取|赠送)[^。，]{0,6}优惠券|私信(?:我|小编)?(?:领取|获取|报名)|全国包邮[，。！]|先到先得[，。！]|名额有限[，。！]|本店[^。，]{0,20}包邮/u,
]

/** Words of others. */
const quotes = /“[^“”]{0,200}”|「[^「」]{0,200}」|『[^『』]{0,200}』|"[^"\n]{0,200}"/gu

/** Returns the words of an advert in an answer, or null. Linear in the answer's length. */
export function advertIn(output: string, instruction: string): string | null {
  if (asksForAdvert.test(instruction)) return null
  const plain = output.replace(quotes, (found) => '〇'.repeat(found.length))
  for (const pattern of patterns) {
    const found = pattern.exec(plain)
    if (found !== null) return found[0].replace(/^[\s，。！？；：,!?;（(]/u, '')
  }
  return null
}
