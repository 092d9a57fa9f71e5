/** Filters on the length of a text, in code units after cleaning, including blanks. */
import type { CleanText } from '../clean.js'
import { PhraseIndex } from '../phrase-index.js'

/** Rejects texts that are too short for an instruction. */
export function tooShort(text: CleanText, charsMin: number): string | null {
  return text.length < charsMin ? `${text.length} characters of at least ${charsMin}` : null
}

/** Rejects books and dumps; disabled by default. */
export function tooLong(text: CleanText, charsMax: number): string | null {
  return text.length > charsMax ? `${text.length} characters of at most ${charsMax}` : null
}

/** Rejects the beginning of a text whose rest is behind a link, a login or a payment. */
export function teaser({ teasers, codes, length }: CleanText, charsMin: number): string | null {
  if (length >= charsMin) return null
  const breaksOff = teasers > 0 && !sentenceEnds.has(codes[length - 1] as number)
  if (!breaksOff && !promisesMore(codes, length)) return null
  return `breaks off after ${length} characters, and the rest is elsewhere; needs ${charsMin}`
}

const sentenceEnds = new Set([...'。！？!?.”』」）)'].map((character) => character.charCodeAt(0)))

/** Whether the last characters say that the rest is elsewhere: one clear phrase, or two that only hint. */
function promisesMore(codes: Uint16Array, length: number): boolean {
  let weight = 0
  for (let at = Math.max(0, length - promiseChars); at + 1 < length; at++) {
    const found = promises.longestAt(codes, at, length)
    if (found === null) continue
    weight += found.number < clearPromises.length ? 2 : 1
    at += found.length - 1
  }
  return weight >= 2
}

/** The end of a text in which a promise is looked for. */
const promiseChars = 80
const clearPromises = (
  '阅读全文 查看全文 全文阅读 查看答案 余下内容 剩余内容 剩余部分 登录后阅读 登录后查看 登录后可见 付费阅读 付费后 订阅后 解锁全文 解锁剩余 全文共 本文未完 ' +
  '未完待续 答案在评论区 公众号回复 公众号后台回复 后台回复 戳下方 戳视频 戳链接 下载客户端查看 打开客户端查看 下载APP查看 打开APP查看 打开APP阅读 继续阅读'
).split(' ')
const hints =
  '完整版 往下看 下一页 评论区 关注公众号 更多精彩 点赞转发 转发出去 收藏起来 绝了 后续 揭晓 详细解析 下回分解 敬请期待'.split(
    ' ',
  )
const promises = PhraseIndex.of([...clearPromises, ...hints])
