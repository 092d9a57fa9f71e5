/** The elements of HTML, what becomes of each in a text, and the end of a tag. */

/** Elements before and after which a line ends. */
const block =
  'address article aside blockquote body br button caption center col colgroup dd details dialog dir div dl dt fieldset ' +
  'figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 head header hr html iframe legend li main map menu nav noframes ' +
  'ol option optgroup p pre section select summary table tbody tfoot thead title tr ul'
const cell = 'td th'
const inline =
  'a abbr acronym area audio b base basefont bdi bdo big cite code data datalist del dfn em embed font frame i img input ins ' +
  'kbd label link mark marquee meta meter nobr output param picture progress q rp rt ruby s samp small source span strike ' +
  'strong sub sup time track tt u var video wbr'
/** Elements whose content is not text. */
const dropped = 'script style svg noscript template textarea object applet canvas'

type TagKind = 'block' | 'cell' | 'inline' | 'dropped'

const kinds: ReadonlyMap<string, TagKind> = new Map(
  (
    [
      ['block', block],
      ['cell', cell],
      ['inline', inline],
      ['dropped', dropped],
    ] as const
  ).flatMap(([kind, names]) => names.split(' ').map((name) => [name, kind] as const)),
)

/** Returns null for a name that is not an element: `List<String>`. @param name with the slash of a closing tag */
export function tagKind(name: string): TagKind | null {
  const plain = (name.startsWith('/') ? name.slice(1) : name).toLowerCase()
  // Elements of word processors: o:p, st1:chsdate.
  return kinds.get(plain) ?? (/^[a-z]{1,4}[0-9]?:[a-z]/.test(plain) ? 'inline' : null)
}

/** Attributes of one tag that are read. */
const attributesMax = 30
/** Characters of a tag outside quoted values. */
const bareCharsMax = 1000
const bareAttributes = new Set(
  'allowfullscreen async autofocus autoplay checked controls default defer disabled hidden ismap loop multiple muted noshade novalidate nowrap open readonly required reversed selected'.split(
    ' ',
  ),
)

/**
 * Returns the position after the tag whose name ends at `at`; −1 if it is not a tag. Attributes have a value or are in
 * `bareAttributes`: `a<b and c>d` is not a tag.
 *
 * @param search returns the first place of a mark from a position on; −1 if there is none
 */
export function tagEnd(text: string, at: number, search: (mark: string, from: number) => number): number {
  if (text.charCodeAt(at) === 0x3e) return at + 1
  let bare = 0
  for (let attribute = 0, from = at; attribute < attributesMax && bare < bareCharsMax; attribute++) {
    attributePattern.lastIndex = from
    const match = attributePattern.exec(text)
    if (match === null) return -1
    bare += match[0].length
    from += match[0].length
    const [, close, name = '', value] = match
    if (close !== undefined) return from
    if (value === undefined) {
      if (!bareAttributes.has(name.toLowerCase())) return -1
    } else if (value === '"' || value === "'") {
      const end = search(value, from)
      if (end < 0) return -1
      from = end + 1
    }
  }
  return -1
}

/** Blanks, then `>`, or a name, `=` and an opening quote or a bare value of ASCII. Every part excludes the next: no backtracking. */
const attributePattern =
  /[\s/]{0,50}(?:(>)|([a-zA-Z_:@][a-zA-Z0-9_:.@-]{0,60})(?:\s{0,5}=\s{0,5}(["']|[!#-&(-;?-_a-~]{1,300}))?)/y
