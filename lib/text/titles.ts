/** Titles as pages print them: once by themselves, once with the name of the site, and again above the text. */

/** Longest title, in code units. */
export const titleCharsMax = 100

/** Whether `line` is `title`, by itself or with the name of a site behind it: 标题 - 网站名, 标题_网站名. */
export function repeatsTitle(line: string, title: string): boolean {
  if (title === '' || title.length > titleCharsMax || line.length > 2 * titleCharsMax) return false
  if (line === title) return true
  if (/[。！；，]$/.test(title)) return false
  if (!line.startsWith(title)) return false
  return siteName.test(line.slice(title.length))
}

const siteName = /^(?: ?[-_|｜—–·] ?[^-_|｜—–。！？]{1,20}){1,4}$/

/** Returns a title without the names of a site behind it. */
export function withoutSiteName(title: string): string {
  let plain = title
  for (let count = 0; count < siteNamesMax; count++) {
    const match = namedSite.exec(plain)
    if (match === null || match.index < titleCharsMin) break
    plain = plain.slice(0, match.index)
  }
  return plain
}

const siteNamesMax = 4
const titleCharsMin = 4
/** The last part after a dash, an underscore or a bar, if it ends as names of sites do. */
const namedSite =
  / ?[-_|｜—–]{1,2} ?[^-_|｜—–。！？]{0,16}(?:网|網|网站|官网|论坛|博客|频道|百科|社区|资讯|门户|在线|热线|客户端|日报|晚报|晨报|\.com|\.cn|\.net)$/
