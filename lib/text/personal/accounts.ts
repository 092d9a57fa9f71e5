/** Recognises e-mail addresses, and accounts of QQ and WeChat by the words before them. */
import type { PersonalItem } from './kinds.js'

/** Longest local part of an address. Source: RFC 5321, section 4.5.3.1. */
const localCharsMax = 64

const domainPattern = /(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}/y
/** Domains that are reserved for examples and tests (RFC 2606), and those that documentation uses for the same. */
const exampleDomain =
  /(?:^|\.)(?:example\.(?:com|org|net|cn|com\.cn)|(?:domain|email|yourdomain|xxx|company)\.com|example|invalid|test|localhost|local)$/i
/** Names that are not of a person: repositories in the form git@host:path, and senders that do not read replies. */
const notAPerson = /^(?:git|no-?reply|do-?not-?reply|mailer-daemon)$/i

/** Returns the e-mail address whose @ is at `at` and which begins at `from` or later, or null. */
export function emailAt(text: string, at: number, from: number): PersonalItem | null {
  let start = at
  const first = Math.max(from, at - localCharsMax)
  while (start > first && /[\w.%+-]/.test(text.charAt(start - 1))) start--
  while (start < at && /[.+-]/.test(text.charAt(start))) start++
  if (start === at) return null
  domainPattern.lastIndex = at + 1
  if (!domainPattern.test(text)) return null
  const end = domainPattern.lastIndex
  const isExample = exampleDomain.test(text.slice(at + 1, end)) || notAPerson.test(text.slice(start, at))
  return isExample ? null : { kind: 'email', start, end }
}

/** Characters before a name that are looked at. */
const contextChars = 16

const publicAccount = /公众|官方|订阅号|服务号|公号|小程序/
const wechatName = '(?:[微薇徽威]信|wechat|weixin|[vVＶ]信|[vV][xX]|[wW][xX])'
/** The words ask for a contact, or name an account: any name after them is one. */
const wechatAccount = new RegExp(
  `(?:${wechatName}(?:账号|帐号|号码?|ID|id)[：:是为\\s]{0,3}|(?:加|➕|\\+)(?:我|老师|客服|好友|一下|个)?(?:的)?(?:${wechatName}|[微薇vVＶ])号?[：:是为\\s]{0,3})$`,
)
/** A colon is needed after the bare name: 微信 is mentioned far more often than given. */
const wechatColon = new RegExp(`(?:^|[^A-Za-z])${wechatName}(?:同号)?\\s?[：:]\\s?$`)
const qqName =
  /(?:(?:^|[^A-Za-z])[Qq]{2}|扣扣|球球|企鹅|[加+➕][Qq]|[Qq](?=群|号))(?:交流|学习|粉丝|客服|咨询)?(?:群号|群|号码|号|账号|帐号)?[：:是为\s]{0,3}$/

/** Questions are marked Q: too, so that more digits are needed, and no verb after them. */
const singleQ = /(?:^|[^A-Za-z])[Qq][：:]\s?$/
const singleQPattern = /[1-9]\d{5,10}(?![\w.%-]|\s?[是等的加减乘除和与、+*×÷])/y

const wechatPattern = /(?:[A-Za-z][\w-]{5,19}|[1-9]\d{4,10})(?![\w-])/y
const qqPattern = /[1-9]\d{4,10}(?![\w.%-])/y
/** Names of products and systems that follow 微信： without being an account. */
const productName = /^(?:wechat|weixin|android|iphone|windows|https?|github|harmony|official)/i

/** Returns the account of QQ or WeChat that begins at `at`, by the words before it, or null. */
export function accountAt(text: string, at: number): PersonalItem | null {
  const before = text.slice(Math.max(0, at - contextChars), at)
  const single = singleQ.test(before)
  if (single || qqName.test(before)) {
    const end = matchEnd(single ? singleQPattern : qqPattern, text, at)
    const isPublic = end !== null && /^(?:400|800)\d{6,7}$/.test(text.slice(at, end))
    return end === null || isPublic || isAmount(text, end) ? null : { kind: 'qq', start: at, end }
  }
  if (publicAccount.test(before)) return null
  const named = wechatAccount.test(before)
  if (!named && !wechatColon.test(before)) return null
  const end = matchEnd(wechatPattern, text, at)
  if (end === null || isAmount(text, end)) return null
  const name = text.slice(at, end)
  const isWord = productName.test(name) || (!named && /[A-Z]/.test(name) && /^[A-Za-z]+$/.test(name))
  return isWord ? null : { kind: 'wechat', start: at, end }
}

/** Returns the account in a token that begins with its name: QQ123456, vx13800000000. `wxid_…` needs no name. */
export function namedAccountAt(text: string, start: number): PersonalItem | null {
  const id = matchEnd(/wxid_[a-z0-9]{6,20}(?!\w)/y, text, start)
  if (id !== null) return { kind: 'wechat', start, end: id }
  const name = matchEnd(/(?:[qQ]{2}|[vV][xX]|[wW][xX])(?=\d)/y, text, start)
  if (name === null) return null
  const end = matchEnd(qqPattern, text, name)
  if (end === null || isAmount(text, end)) return null
  return { kind: /^[qQ]/.test(text.slice(start, name)) ? 'qq' : 'wechat', start: name, end }
}

function isAmount(text: string, end: number): boolean {
  return /^\s?(?:元|万|亿|人|个|次|年|月|款|版|用户|\.\d|,\d{3}|%|=|\()/.test(text.slice(end, end + 4))
}

function matchEnd(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : null
}
