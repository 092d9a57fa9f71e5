/** The reasons of rejects: the list, the code that gives them, and the pages that name them are the same. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { endingOf } from '../lib/llm/protocol/finish-reason.js'
import { funnelSvg } from '../lib/publish/funnel-svg.js'
import { type RejectReason, reasonMeaning, rejectReasons } from '../lib/reject-reasons.js'
import { filterReasons } from '../lib/text/filters.js'
import { lostReasons } from '../lib/workers/bisect.js'
import { projectRoot } from './support/root.js'

const list: Readonly<Record<string, RejectReason>> = rejectReasons
/** Folders whose code rejects records; the simulator and the commands have words of other kinds. */
const folders = ['core', 'dedup', 'kun', 'llm', 'sources', 'text', 'units', 'workers']
const sources = folders.flatMap((folder) =>
  readdirSync(join(projectRoot, 'lib', folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ name: `${folder}/${name}`, text: readFileSync(join(projectRoot, 'lib', folder, name), 'utf8') })),
)
/** Comments name reasons too. */
const code = sources.map(({ name, text }) => ({ name, text: text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '') }))

/** How the code writes a reason where it gives it. */
const given = [
  /\bdrop: '([a-z0-9-]+)'/g,
  /\breason: '([a-z0-9-]+)'/g,
  /new ShardDamageError\(\s*'([a-z0-9-]+)'/g,
  /\b(?:refuse\(|refused\(\n?)'([a-z0-9]+-[a-z0-9-]+)'/g,
  /\breason = [^\n]*\? '([a-z0-9-]+)' : '([a-z0-9-]+)'/g,
]
/** A block without records, which has no row in rejects; figures of a comparison; a word that becomes 'refused'. */
const notOfRecords = new Set(['empty-block', 'failed', 'field'])

t.test('every reason that the code gives is in the list', async (t) => {
  let checked = 0
  for (const { name, text } of code) {
    for (const pattern of given) {
      for (const [, ...reasons] of text.matchAll(pattern)) {
        for (const reason of reasons.filter((each) => each !== undefined && !notOfRecords.has(each))) {
          checked++
          t.ok(Object.hasOwn(list, reason), `${name} gives ${reason}`)
        }
      }
    }
  }
  t.ok(checked > 50, `${checked} places were looked at`)
  for (const reason of [...filterReasons, ...lostReasons]) t.ok(Object.hasOwn(list, reason), reason)
  const checks = code.find(({ name }) => name === 'kun/replies/reply-fault.ts')?.text ?? ''
  const faults = [...checks.matchAll(/(?:return|fault:|[?:]) '([a-z-]+)'/g)].map(
    ([, fault]) => `${(fault as string).replace(/-reply$/, '')}-reply`,
  )
  t.ok(faults.length > 5)
  for (const reason of faults.filter((each) => !each.startsWith('output-'))) t.ok(Object.hasOwn(list, reason), reason)
  for (const word of ['length', 'content_filter', 'abort', 'anything']) {
    t.ok(Object.hasOwn(list, `${endingOf(word)}-reply`), word)
  }
})

t.test('the list has only reasons that the code gives', async (t) => {
  for (const reason of Object.keys(list)) {
    const literals = [`'${reason}'`, `'${reason.replace(/-reply$/, '')}'`]
    t.ok(
      code.some(({ text }) => literals.some((literal) => text.includes(literal))),
      reason,
    )
  }
})

/** Words of other columns and sentences that look like one. */
function reasonsOfTables(page: string): string[] {
  const text = readFileSync(join(projectRoot, 'docs', page), 'utf8')
  const cells = [...text.matchAll(/^\|((?: ?`[a-z0-9-]+`,?)+) \|/gm)].map(([, cell]) => cell as string)
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, reason]) => reason as string))
}

t.test('docs/rejects.md has every reason with its stages and its meaning, as the list has them', async (t) => {
  const text = readFileSync(join(projectRoot, 'docs/rejects.md'), 'utf8')
  const rows = text.split('\n').filter((line) => line.startsWith('| `'))
  const expected = Object.entries(list).map(
    ([reason, { stages, means }]) => `| \`${reason}\` | ${stages.join(', ')} | ${means} |`,
  )
  t.strictSame(rows, expected)
})

t.test('the other pages name only reasons of the list, each on the right page', async (t) => {
  for (const page of ['shard-formats.md', 'filters.md', 'replies.md']) {
    for (const reason of reasonsOfTables(page)) t.ok(Object.hasOwn(list, reason), `${page}: ${reason}`)
  }
  const inOrder = (reasons: Iterable<string>): string[] => [...new Set(reasons)].sort()
  const of = (test: (reason: string, stages: readonly string[]) => boolean) =>
    inOrder(Object.entries(list).flatMap(([reason, { stages }]) => (test(reason, stages) ? [reason] : [])))
  t.strictSame(
    inOrder(reasonsOfTables('shard-formats.md')),
    of((reason, stages) => stages.includes('read') || (stages.includes('decode') && reason !== '')),
  )
  t.strictSame(inOrder(reasonsOfTables('filters.md')), inOrder(filterReasons))
  t.strictSame(
    inOrder(reasonsOfTables('replies.md')),
    of((reason) => reason.endsWith('-reply')),
  )
  const prompts = readFileSync(join(projectRoot, 'docs/prompts.md'), 'utf8')
  for (const reason of of((reason) => /^(?:screen|instruction|output|score|pair|column)-/.test(reason))) {
    t.ok(prompts.includes(`\`${reason}\``), `prompts.md: ${reason}`)
  }
})

t.test('the figure of the funnel explains its reasons, and shows the reason of a custom filter as it is', async (t) => {
  const dropped = { 'score-low': 3, '彩票<b>': 1 }
  const svg = funnelSvg({ a: { rows: 1, stages: { score: { in: 5, out: 1, dropped, failed: 0 } } } } as never)
  t.match(svg, `<title>score-low 3: ${reasonMeaning('score-low')}\n彩票&lt;b&gt; 1</title>`)
  t.equal(reasonMeaning('constructor'), null)
})
