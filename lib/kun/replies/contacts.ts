/**
 * Finds contact details: numbers of phones, QQ and WeChat, e-mail addresses, links. Public figures (12345, 2023年) and what is in code are
 * none.
 */

/** Digits of a phone do not touch other digits or letters: an order number is none. */
const patterns: readonly RegExp[] = [
  /(?:身份证|护照|银行卡|信用卡|储蓄卡|社保卡|卡号|账号|帐号)(?:号码?)?(?:是|为|[：:\s]){0,3}\d{15,19}[\dXx]?(?!\d)/u,
  /(?<![\d.A-Za-z])(?:\+?86[-\s]?)?1[3-9]\d[-\s]?\d{4}[-\s]?\d{4}(?![\d.])/u,
  /(?<![\d.-])(?:0\d{2,3}[-\s]|[（(]0\d{2,3}[）)]\s?)\d{7,8}(?![\d-])/u,
  /(?<![\d.-])[48]00[-\s]?\d{3,4}[-\s]?\d{3,4}(?![\d-])(?!\s{0,2}(?:年|元|万|亿|米|克|人|公里|平方))/u,
  /(?:q\s?q|扣扣|企鹅)(?:号|群|号码|群号)?(?:是|为|[：:\s]){0,3}\d{5,11}(?!\d)/iu,
  /(?:微信|微\s?信|v信|wechat|\bvx|\bwx|weixin|加v|薇信|威信|微博|抖音|快手|小红书|telegram|whatsapp|\bline)(?:号|号码|公众号|id|账号)?(?:是|为|[：:\s+]){1,3}[a-z][\w-]{4,19}/iu,
  /(?:加|添加)(?:我|老师|客服|助理)?(?:的)?(?:微信|qq|v信|vx|wx|扣扣|薇信|企微|企业微信)/iu,
  /(?<![\w.+-])[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,4}\.[a-z]{2,10}(?![\w-])/iu,
]
/** Addresses of the machine itself are not links. */
const link =
  /https?:\/\/(?!localhost|127\.|0\.0\.0\.0|192\.168\.|10\.\d|\[|[^\x21-\x7e])[\w.-]{1,253}|(?<![\w./@-])www\.[\w-]{1,63}\.[a-z]{2,10}(?![\w-])|(?<![\w./@-])[a-z0-9-]{2,63}\.(?:com|cn|net|org|com\.cn|gov\.cn|edu\.cn)(?:\/[\w./?=&%-]{0,200})?(?![\w.-])/iu

/** Returns a contact detail in the text, or null. Linear in the text's length. */
export function contactIn(text: string): string | null {
  const plain = withoutCode(text)
  for (const pattern of patterns) {
    const found = pattern.exec(plain)
    if (found !== null) return found[0]
  }
  return null
}

/** Returns a link in the text, or null. */
export function linkIn(text: string): string | null {
  return link.exec(withoutCode(text))?.[0] ?? null
}

/** Removes fenced blocks, and words between back quotes. */
function withoutCode(text: string): string {
  if (!text.includes('`')) return text
  return text
    .split('```')
    .filter((_, index) => index % 2 === 0)
    .join('\n')
    .replace(/`[^`\n]{1,200}`/g, '``')
}
