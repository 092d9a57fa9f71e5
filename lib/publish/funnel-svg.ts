/** The funnel of a run as an SVG: one bar for each stage, light for items in, dark for items out. */

import { stagesInFlow } from '../kun/stage-flow.js'
import { grouped } from '../language/grouped.js'
import { reasonMeaning } from '../reject-reasons.js'
import type { FunnelCounters } from './card-facts.js'
import { visible } from './markdown.js'

interface FunnelStage {
  readonly name: string
  readonly in: number
  readonly out: number
  /** Most frequent first. */
  readonly reasons: readonly (readonly [string, number])[]
}

interface Sum {
  in: number
  out: number
  readonly reasons: Map<string, number>
}

/** Returns the stages, summed over the splits. */
export function funnelStages(counters: FunnelCounters): FunnelStage[] {
  const sums = new Map<string, Sum>()
  for (const { stages } of Object.values(counters)) {
    for (const [name, figures] of Object.entries(stages)) {
      const sum = sums.get(name) ?? { in: 0, out: 0, reasons: new Map<string, number>() }
      sum.in += figures.in
      sum.out += figures.out
      const reasons = { ...figures.dropped, ...(figures.failed > 0 ? { failed: figures.failed } : {}) }
      for (const [reason, count] of Object.entries(reasons)) {
        sum.reasons.set(reason, (sum.reasons.get(reason) ?? 0) + count)
      }
      sums.set(name, sum)
    }
  }
  return stagesInFlow(Object.fromEntries(sums)).map((name) => {
    const sum = sums.get(name) as Sum
    return { name, in: sum.in, out: sum.out, reasons: [...sum.reasons].sort(byCount) }
  })
}

function byCount([a, left]: readonly [string, number], [b, right]: readonly [string, number]): number {
  return right - left || (a < b ? -1 : 1)
}

const width = 720
const barLeft = 120
const barWidth = 400
const rowHeight = 34

/** Returns an SVG that is readable on light and dark pages. */
export function funnelSvg(counters: FunnelCounters): string {
  const stages = funnelStages(counters)
  const most = Math.max(1, ...stages.map((stage) => Math.max(stage.in, stage.out)))
  const height = stages.length * rowHeight + 20
  const bars = stages.map((stage, at) => {
    const y = 10 + at * rowHeight
    const wide = (count: number) => Math.max(1, Math.round((count / most) * barWidth))
    const text = `${grouped(stage.in)} → ${grouped(stage.out)}`
    return [
      `<text x="${barLeft - 10}" y="${y + 17}" text-anchor="end">${escaped(stage.name)}</text>`,
      `<rect x="${barLeft}" y="${y}" width="${wide(stage.in)}" height="24" rx="3" fill="#f2c6a0">${tip(stage)}</rect>`,
      `<rect x="${barLeft}" y="${y}" width="${wide(stage.out)}" height="24" rx="3" fill="#c8642a"/>`,
      `<text x="${barLeft + barWidth + 10}" y="${y + 17}">${text}</text>`,
    ].join('\n  ')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="What each stage took in and let through">
  <style>text { font: 14px system-ui, sans-serif; fill: #6b7280 }</style>
  ${bars.join('\n  ')}
</svg>
`
}

/** Tooltip of the light bar: the reasons for what was dropped. */
function tip({ reasons }: FunnelStage): string {
  const lines = reasons.map(([reason, count]) => {
    const means = reasonMeaning(reason)
    return `${reason} ${grouped(count)}${means === null ? '' : `: ${means}`}`
  })
  return lines.length === 0 ? '' : `<title>${lines.map(escaped).join('\n')}</title>`
}

function escaped(text: string): string {
  return visible(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
