/** Names of tags: which are HTML, which open a thought, which wrap an answer. Model families use different names. */

/** Role of a tag of that name around a reply. */
export type TagKind = 'markup' | 'thought' | 'answer' | 'tool' | 'unknown'

/** Classifies a tag's name; letters, digits and `:_.-` of any script. */
export function tagKind(name: string): TagKind {
  const lower = name.toLowerCase()
  if (tool.test(lower)) return 'tool'
  if (thought.test(lower)) return 'thought'
  if (answer.test(lower)) return 'answer'
  return html.has(lower) || promptMark.test(lower) ? 'markup' : 'unknown'
}

/** Marks of a text in a prompt: a reply that repeats them wraps no answer, and its reader decides. */
const promptMark = /^(?:文本|标题|文字|材料|原文)$/

const thought =
  /think|thought|reason|rationale|reflect|ponder|cogit|contemplat|delib|ruminat|monolog|brainstorm|scratch|introspect|musing|(?:^|[:_.-])(?:analysis|analy[sz]e|analy[sz]ing|cot|plan|planning|mind|inner|internal|critique|draft|considerations?)(?:$|[:_.-])|思考|思维|思路|推理|想法|内心|独白|反思|构思|推敲/

const answer =
  /^(?:.*[:_.-])?(?:answers?|response|responses|final|output|reply|result|solution|conclusion|content|assistant|instruction|question|回答|答案|回复|正文|答复|输出|最终回答|最终答案|指令)$/

const tool =
  /^(?:.*[:_.-])?(?:tools?|function|functions|tool_?calls?|function_?calls?|invoke|tool_?use|tool_?response)$/

/** HTML, SVG and MathML elements with which an answer may begin, and the marks of BBCode. */
const html: ReadonlySet<string> = new Set(
  (
    'a abbr acronym address area article aside audio b base bdi bdo big blockquote body br button canvas caption center ' +
    'cite code col colgroup data datalist dd del details dfn dialog div dl dt em embed fieldset figcaption figure font ' +
    'footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe img input ins kbd label legend li ' +
    'link main map mark marquee menu meta meter nav noscript object ol optgroup option p param picture pre progress q rp ' +
    'rt ruby s samp script search section select slot small source span strike strong style sub summary sup svg table ' +
    'tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr xml math mrow mi mo mn msup ' +
    'msub mfrac msqrt mtable circle rect path g line polygon polyline text ellipse defs symbol use url quote size color list'
  ).split(' '),
)
