/** Formats the funnel of a run for a terminal: records in and out of each stage, and the reasons of the rest. */

import { stagesInFlow } from '../kun/stage-flow.js'
import { grouped } from '../language/grouped.js'
import type { RunCounters } from './types.js'

interface Sum {
  in: number
  out: number
  readonly reasons: Map<string, number>
}

/** Characters before the reasons of a stage. */
const reasonsAt = 39

/**
 * Returns lines of at most `columns` characters (80 by default). Reasons that do not fit continue on the next line, below
 * the first one; nothing is cut.
 *
 * Example: `  score        420 →     260   score-low 155, score-format 5`
 */
export function funnelLines(counters: RunCounters, columns = 80): string[] {
  const splits = Object.entries(counters)
  const stages = new Map<string, Sum>()
  for (const [, { stages: own }] of splits) {
    for (const [name, figures] of Object.entries(own)) {
      const sum = stages.get(name) ?? { in: 0, out: 0, reasons: new Map<string, number>() }
      sum.in += figures.in
      sum.out += figures.out
      for (const [reason, count] of Object.entries(figures.dropped)) {
        sum.reasons.set(reason, (sum.reasons.get(reason) ?? 0) + count)
      }
      if (figures.failed > 0) sum.reasons.set('failed', (sum.reasons.get('failed') ?? 0) + figures.failed)
      stages.set(name, sum)
    }
  }
  const figure = (count: number): string => grouped(count).padStart(11)
  const lines = stagesInFlow(Object.fromEntries(stages)).flatMap((name) => {
    const sum = stages.get(name) as Sum
    return wrapped(`  ${name.padEnd(10)}${figure(sum.in)} →${figure(sum.out)}   `, listed(sum.reasons), columns)
  })
  const rows = splits.map(([split, { rows }]) => [split, rows] as const)
  const total = rows.reduce((sum, [, count]) => sum + count, 0)
  const parts = rows.map(([split, count]) => `${split} ${grouped(count)}`)
  lines.push(...wrapped(`  ${'rows'.padEnd(10)}${' '.repeat(11)}  ${figure(total)}   `, parts, columns))
  return lines
}

/** Lists reasons by frequency, then by name. */
function listed(reasons: ReadonlyMap<string, number>): string[] {
  return [...reasons]
    .sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))
    .map(([reason, count]) => `${reason} ${grouped(count)}`)
}

/** Puts the parts behind the head, and those that do not fit on lines below. A part longer than a line has one of its own. */
function wrapped(head: string, parts: readonly string[], columns: number): string[] {
  const lines: string[] = []
  let line = head
  for (const [place, part] of parts.entries()) {
    const text = place === parts.length - 1 ? part : `${part},`
    const isFirst = line.length <= reasonsAt
    if (!isFirst && line.length + 1 + text.length > columns) {
      lines.push(line)
      line = ' '.repeat(reasonsAt)
    } else if (!isFirst) line += ' '
    line += text
  }
  return [...lines, line.trimEnd()]
}
