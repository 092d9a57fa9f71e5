/** The graph of a run: its nodes in order, joined by edges as wide as their rate and red where they are blocked. */
import type { SeriesPoint } from '../../../lib/pages/view.js'
import { digits, percent, say, short, stageName } from '../say.js'
import { Empty } from './frame.js'

/** Share of time from which an edge counts as blocked, as in lib/report/bottleneck.ts. */
const blockedShare = 0.5
const widthMin = 2
const widthMax = 16
/** Seconds over which a rate is taken. */
const windowSeconds = 5

interface GraphOptions {
  readonly points: readonly SeriesPoint[]
  /** Whether the run is in progress: the edges of one that ended are still. */
  readonly moving: boolean
}

export function Graph({ points, moving }: GraphOptions) {
  const last = points.at(-1)
  if (last === undefined) return <Empty>{say`No figures yet.`}</Empty>
  const before = points.findLast(({ seconds }) => last.seconds - seconds >= windowSeconds) ?? points[0]
  const seconds = Math.max(0.001, last.seconds - (before?.seconds ?? 0))
  const rateOf = (name: string): number => {
    const outOf = (point: SeriesPoint | undefined): number => point?.nodes.find((node) => node.name === name)?.out ?? 0
    return moving ? Math.max(0, outOf(last) - outOf(before)) / seconds : outOf(last) / Math.max(0.001, last.seconds)
  }
  const rates = last.nodes.map(({ name }) => rateOf(name))
  const most = Math.max(0.001, ...rates)
  return (
    <ol class="graph" aria-label={say`Stages of the run, in order`}>
      {last.nodes.map(({ name, out, inFlight, blocked, working }, at) => {
        const rate = rates[at] ?? 0
        const isModel = !['read', 'prepare', 'dedup', 'write'].includes(name)
        const isBottleneck = moving && (name === last.bottleneck || (last.bottleneck === 'servers' && isModel))
        const isBlocked = moving && blocked >= blockedShare
        const width = widthMin + (widthMax - widthMin) * (Math.log1p(rate) / Math.log1p(most))
        const isLast = at === last.nodes.length - 1
        return (
          <li key={name} class={isLast ? 'graph-last' : ''}>
            <div class={isBottleneck ? 'node node-bottleneck' : 'node'}>
              <span class="node-name">{stageName(name)}</span>
              <span class="node-out">{digits(out)}</span>
              <span class="node-note">{say`${short(inFlight)} in it`}</span>
              <span class="node-track" title={say`working ${percent(working)} of the time`}>
                <i style={{ '--share': `${100 * working}%` }} />
              </span>
            </div>
            {!isLast && (
              <div class={isBlocked ? 'edge edge-blocked' : 'edge'}>
                <span class="edge-rate">{say`${short(rate)}/s`}</span>
                <span
                  class={moving && rate > 0 && !isBlocked ? 'edge-line edge-moving' : 'edge-line'}
                  style={{ '--width': `${width.toFixed(1)}px` }}
                  aria-hidden="true"
                />
                <span class="edge-note">{isBlocked ? say`blocked ${percent(blocked)}` : ''}</span>
              </div>
            )}
          </li>
        )
      })}
    </ol>
  )
}
