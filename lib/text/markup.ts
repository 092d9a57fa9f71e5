/**
 * Takes markup out of a text and keeps what a reader of the page sees: tags, comments and scripts of HTML, character
 * references, images and links of Markdown, forum codes. Fenced code, and code in backticks, is not changed; nor are
 * the tags of a text about HTML.
 *
 * Each step walks once from left to right; what a search for a closing mark found is used until the walk has passed it.
 */
import { decodeEntities } from './entities.js'
import { tagEnd, tagKind } from './html-tags.js'

/** Returns the text itself if there is no markup in it. */
export function withoutMarkup(text: string): string {
  const aboutHtml = isAboutHtml(text)
  return outsideCode(text, (prose) => {
    const decoded = prose.includes('&') ? decodeEntities(prose, aboutHtml) : prose
    const untagged = decoded.includes('<') && !aboutHtml ? withoutTags(decoded) : decoded
    const uncoded = untagged.includes('[/') ? withoutForumCodes(untagged) : untagged
    return uncoded.includes('](') ? withoutMarkdownLinks(uncoded) : uncoded
  })
}

/** Changes the stretches of a text that are neither fenced nor in backticks. */
function outsideCode(text: string, change: (prose: string) => string): string {
  if (!text.includes('`')) return change(text)
  let result = ''
  let from = 0
  for (const { index, 0: code } of text.matchAll(codeStretch)) {
    result += change(text.slice(from, index)) + code
    from = index + code.length
  }
  return result + change(text.slice(from))
}

/** A fence up to the next at the start of a line, or to the end; or up to 400 characters between backticks in a line. */
const codeStretch =
  /(?<=^|\n)[ \t]{0,8}```[^\n]*\n(?:(?![ \t]{0,8}```)[^\n]*\n)*(?:[ \t]{0,8}```[^\n]*|[^\n]*$)|`[^`\n]{1,400}`/g

/** Whether Chinese words about HTML are next to its name or next to a tag. */
function isAboutHtml(text: string): boolean {
  return markupName.test(text) || tagWord.test(text)
}

const markupName =
  /[\u4e00-\u9fff，。、（：] ?(?:X?HTML|html|XML|xml|JSX|jsx|Vue|vue|DOM|SVG|svg)5?(?![a-zA-Z./])|(?<![a-zA-Z./<])(?:X?HTML|html|XML|xml|JSX|jsx|Vue|vue|DOM|SVG|svg)5? ?[\u4e00-\u9fff，。、）：]/
const tagWord =
  /(?:<|&lt;)\/?[a-zA-Z][a-zA-Z0-9]{0,15} ?\/?(?:>|&gt;) ?[”」]?(?:标签|標籤|元素|标记|標記|节点|属性|组件)/

/** @see html-tags.ts for what becomes of each */
function withoutTags(text: string): string {
  if (!looksLikeHtml.test(text)) return text
  const search = createSearch(text)
  let result = ''
  let from = 0
  let failures = 0
  for (let at = text.indexOf('<'); at >= 0 && failures < failuresMax; at = text.indexOf('<', at)) {
    const found = tagAt(text, at, search)
    if (found === null) {
      failures++
      at++
      continue
    }
    result += text.slice(from, at) + found.replacement
    from = at = found.end
  }
  return from === 0 ? text : result + text.slice(from)
}

/** Marks of one text that are not tags, after which the rest is taken for a text that is not HTML. */
const failuresMax = 5000
/** A closing tag, an attribute, a comment, a line break: what `a<b` and `List<T>` do not have. */
const looksLikeHtml =
  /<\/[a-zA-Z]|<[a-zA-Z][a-zA-Z0-9]{0,15}\s{1,9}[a-zA-Z-]{1,30}\s?=|<!(?:--|DOCTYPE|doctype)|<(?:br|hr|p|div|BR|HR|P|DIV)\s?\/?>/

type Search = (mark: string, from: number) => number

/** Returns a search for marks in the text that searches no stretch twice for the same mark, as long as `from` increases. */
function createSearch(text: string): Search {
  const found = new Map<string, { from: number; at: number }>()
  return (mark, from) => {
    const last = found.get(mark)
    if (last !== undefined && last.from <= from && (last.at < 0 || last.at >= from)) return last.at
    const at = text.indexOf(mark, from)
    found.set(mark, { from, at })
    return at
  }
}

interface Markup {
  readonly end: number
  readonly replacement: string
}

function tagAt(text: string, at: number, search: Search): Markup | null {
  if (text.startsWith('<!--', at)) {
    const end = search('-->', at + 4)
    return { end: end < 0 ? at + 4 : end + 3, replacement: '' }
  }
  if (text[at + 1] === '!' || text[at + 1] === '?') return declarationAt(text, at, search)
  const name = nameAt(text, at + 1)
  if (name === '') return null
  const kind = tagKind(name)
  if (kind === null) return null
  const end = tagEnd(text, at + 1 + name.length, search)
  if (end < 0) return null
  if (kind !== 'dropped' || text[at + 1] === '/') return { end, replacement: replacements[kind] }
  const close = closeOf(name, end, search)
  return { end: close, replacement: '\n' }
}

const replacements = { block: '\n', cell: ' ', inline: '', dropped: '\n' } as const

/** The name of a tag with the slash before it: letters, digits, and the marks of namespaces and custom elements. */
function nameAt(text: string, at: number): string {
  tagName.lastIndex = at
  return tagName.exec(text)?.[0] ?? ''
}

const tagName = /\/?[a-zA-Z][a-zA-Z0-9:-]{0,30}/y

/** `<!DOCTYPE …>`, `<![CDATA[`, `<?xml …?>`. */
function declarationAt(text: string, at: number, search: Search): Markup | null {
  if (text.startsWith('<![CDATA[', at)) return { end: at + 9, replacement: '' }
  declaration.lastIndex = at
  if (!declaration.test(text)) return null
  const end = search('>', at)
  return end < 0 || end - at > declarationCharsMax ? null : { end: end + 1, replacement: '' }
}

const declaration = /<(?:!DOCTYPE|!\[(?:end)?if|\?xml)/iy
const declarationCharsMax = 500

/** Returns the end of an element whose content is dropped; that of its tag if it is not closed. */
function closeOf(name: string, from: number, search: Search): number {
  for (const closing of [`</${name.toLowerCase()}`, `</${name.toUpperCase()}`]) {
    const at = search(closing, from)
    if (at < 0) continue
    const end = search('>', at)
    if (end >= 0 && end - at < declarationCharsMax) return end + 1
  }
  return from
}

/** Removes images, and leaves the words of links. */
function withoutMarkdownLinks(text: string): string {
  return text.replace(image, '').replace(link, '$1')
}

/**
 * A target has a scheme, is a path, or ends as names of files and sites do: a[i](x.y) is not a link. It may have one pair
 * of brackets, and a title behind it.
 */
const target =
  /\(\s?<?(?=[a-zA-Z]{2,10}:|\.{0,2}\/|#|www\.|[^\s()<>[\]]{1,200}\.(?:html?|shtml|md|php|aspx?|jsp|png|jpe?g|gif|webp|svg|pdf|com|cn|net|org)\b)[^\s()<>[\]\u4e00-\u9fff]{1,2000}(?:\([^\s()<>[\]]{0,100}\)[^\s()<>[\]]{0,200})?>?(?:\s{1,3}(?:"[^"\n]{0,200}"|'[^'\n]{0,200}'))?\s?\)/
    .source
const image = new RegExp(`!\\[[^\\][\\n]{0,300}\\]${target}`, 'g')
const link = new RegExp(`\\[([^\\][\\n]{0,500})\\]${target}`, 'g')

/** Removes the codes of forums, and the content of those for images and files. */
function withoutForumCodes(text: string): string {
  if (!forumClose.test(text)) return text
  return text.replace(forumFile, '').replace(forumCode, '')
}

const forumNames =
  'img|url|b|i|u|s|color|backcolor|size|font|align|quote|code|list|table|tr|td|hide|free|indent|float|email|p|sup|sub|media|flash|audio|video|attach|attachimg|font'
const forumClose = new RegExp(`\\[/(?:${forumNames})\\]`, 'i')
const forumFile = /\[(img|media|flash|audio|video|attach|attachimg)(?:=[^\][\n]{0,100})?\][^\][\n]{0,1000}\[\/\1\]/gi
const forumCode = new RegExp(`\\[/?(?:${forumNames})(?:=[^\\][\\n]{0,200})?\\]|\\[\\*\\]`, 'gi')
