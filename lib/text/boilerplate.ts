/**
 * Phrases of a web page that are not part of its text: navigation, legal notices, calls to share or subscribe. The cleaner
 * counts the lines that contain one; a filter limits their share.
 */

/** Longest line that counts as boilerplate when it contains a phrase; a longer one is prose that mentions it. */
export const boilerplateLineCharsMax = 80

/** Collected by hand from Chinese web pages. */
export const boilerplatePhrases: readonly string[] = [
  '版权所有',
  '版权归原作者',
  '免责声明',
  '侵权必究',
  '未经授权',
  '未经许可',
  '转载请注明',
  '本文来源',
  '本文转自',
  '来源网络',
  '责任编辑',
  '责编：',
  '备案号',
  '公网安备',
  '增值电信业务经营许可证',
  '网站地图',
  '联系我们',
  '关于我们',
  '友情链接',
  '返回首页',
  '返回顶部',
  '返回列表',
  '当前位置',
  '您的位置',
  '上一篇',
  '下一篇',
  '上一页',
  '下一页',
  '相关阅读',
  '相关推荐',
  '相关文章',
  '推荐阅读',
  '猜你喜欢',
  '热门推荐',
  '热门标签',
  '点击查看',
  '点击下载',
  '点击进入',
  '点击关注',
  '查看更多',
  '查看全文',
  '阅读全文',
  '阅读原文',
  '展开全文',
  '加载更多',
  '扫一扫',
  '扫码关注',
  '扫描二维码',
  '长按识别',
  '关注公众号',
  '关注微信',
  '微信公众号',
  '微信扫码',
  '分享到',
  '加入收藏',
  '设为首页',
  '我要评论',
  '发表评论',
  '网友评论',
  '登录注册',
  '立即注册',
  '立即登录',
  '忘记密码',
  '请先登录',
  '立即购买',
  '在线咨询',
  '客服热线',
  '免费咨询',
  '请启用',
  '浏览器不支持',
]

/** Returns whether codes[start … end) contains a phrase. */
export type PhraseFinder = (codes: Uint16Array, start: number, end: number) => boolean

/** Creates a finder. Most code units start no phrase, which one table look-up shows. */
export function phraseFinder(phrases: readonly string[]): PhraseFinder {
  const starts = new Uint8Array(65_536)
  const byFirst = new Map<number, Uint16Array[]>()
  for (const phrase of phrases) {
    const codes = Uint16Array.from(phrase, (character) => character.charCodeAt(0))
    const first = codes[0]
    if (first === undefined) continue
    starts[first] = 1
    byFirst.set(first, [...(byFirst.get(first) ?? []), codes])
  }
  return (codes, start, end) => {
    for (let at = start; at < end; at++) {
      const code = codes[at] as number
      if (starts[code] === 1 && byFirst.get(code)?.some((phrase) => matchesAt(phrase, codes, at, end))) return true
    }
    return false
  }
}

function matchesAt(phrase: Uint16Array, codes: Uint16Array, at: number, end: number): boolean {
  if (at + phrase.length > end) return false
  for (let index = 1; index < phrase.length; index++) if (codes[at + index] !== phrase[index]) return false
  return true
}
