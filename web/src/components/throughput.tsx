/** Rates of a call over time, and below them a strip with the bottleneck of each span. */
import type { EChartsCoreOption } from 'echarts/core'
import { useCallback, useMemo } from 'preact/hooks'
import type { SeriesPoint } from '../../../lib/pages/view.js'
import { durationText, percent, say, short, stageName } from '../say.js'
import { Chart, type Palette } from './chart.js'

const gridLeft = 52
/** Half of the widest label of the axis: the last one stands under its tick. */
const gridRight = 28

/** A line of the plot: a value for each point but the first. */
interface Line {
  readonly name: string
  readonly values: readonly (number | null)[]
}

interface LinesOptions {
  readonly label: string
  readonly points: readonly SeriesPoint[]
  readonly lines: readonly Line[]
  readonly unit: string
  readonly height?: number
  readonly area?: boolean
  readonly most?: number
}

/** Lines over the seconds of a call, with a legend in text. */
export function Lines({ label, points, lines, unit, height = 170, area = false, most }: LinesOptions) {
  const option = useCallback(
    (palette: Palette): EChartsCoreOption => ({
      grid: { left: gridLeft, right: gridRight, top: 12, bottom: 24, outerBoundsMode: 'none' },
      tooltip: {
        trigger: 'axis',
        formatter: (items: { seriesName: string; value: [number, number | null] }[]) =>
          [
            durationText(items[0]?.value[0] ?? 0),
            ...items.map(
              ({ seriesName, value }) => `${seriesName}  ${value[1] === null ? '–' : short(value[1])} ${unit}`,
            ),
          ].join('\n'),
      },
      xAxis: {
        type: 'value',
        min: 0,
        max: points.at(-1)?.seconds ?? 1,
        axisLabel: {
          color: palette.muted,
          fontSize: 11,
          formatter: (value: number) => durationText(value),
          hideOverlap: true,
          alignMinLabel: 'left',
          alignMaxLabel: 'right',
        },
        axisLine: { lineStyle: { color: palette.line } },
        axisTick: { show: false },
        splitLine: { show: false },
        splitNumber: 4,
      },
      yAxis: {
        type: 'value',
        min: 0,
        ...(most !== undefined && { max: most, interval: most / 4 }),
        axisLabel: { color: palette.muted, fontSize: 11, formatter: (value: number) => short(value) },
        splitLine: { lineStyle: { color: palette.line } },
        splitNumber: 3,
      },
      series: lines.map(({ name, values }, at) => ({
        type: 'line',
        name,
        data: values.map((value, index) => [points[index + 1]?.seconds ?? 0, value]),
        showSymbol: false,
        smooth: 0.25,
        smoothMonotone: 'x', // no curve above or below its values
        lineStyle: { width: 1.6, color: palette.series[at % palette.series.length] },
        itemStyle: { color: palette.series[at % palette.series.length] },
        ...(area && { areaStyle: { opacity: 0.12 } }),
      })),
    }),
    [points, lines, unit, area, most],
  )
  return (
    <figure class="plot">
      <figcaption>
        <span class="plot-unit">{unit}</span>
        {lines.length > 1 &&
          lines.map(({ name }, at) => (
            <span class="key" key={name}>
              <i style={{ background: `var(--series-${(at % 6) + 1})` }} aria-hidden="true" />
              {name}
            </span>
          ))}
      </figcaption>
      <Chart label={label} height={height} option={option} />
    </figure>
  )
}

/** Difference per second between neighbouring points. */
export function rates(points: readonly SeriesPoint[], of: (point: SeriesPoint) => number): number[] {
  return points.slice(1).map((point, at) => {
    const before = points[at] as SeriesPoint
    return Math.max(0, of(point) - of(before)) / Math.max(0.001, point.seconds - before.seconds)
  })
}

/** Stages whose output is drawn: those that call a model, and the writer. */
function drawnNodes(points: readonly SeriesPoint[]): string[] {
  const names = (points.at(-1)?.nodes ?? []).map(({ name }) => name)
  return names.slice(names.indexOf('dedup') + 1)
}

export function Throughput({ points }: { readonly points: readonly SeriesPoint[] }) {
  const lines = useMemo(
    () =>
      drawnNodes(points).map((name) => ({
        name: stageName(name),
        values: rates(points, ({ nodes }) => nodes.find((node) => node.name === name)?.out ?? 0),
      })),
    [points],
  )
  const tokens = useMemo(() => [{ name: say`Tokens`, values: rates(points, (point) => point.tokens) }], [points])
  if (points.length < 3) return <p class="empty">{say`The run was too short for a curve.`}</p>
  return (
    <div class="throughput">
      <Lines label={say`Tokens per second over time`} points={points} lines={tokens} unit={say`tokens/s`} area />
      <Lines
        label={say`Records per second of each stage over time`}
        points={points}
        lines={lines}
        unit={say`records/s`}
      />
      <BottleneckStrip points={points} />
    </div>
  )
}

/** Colours of bottlenecks: variables of the style. */
const bottleneckColours: Readonly<Record<string, string>> = {
  read: 'series-3',
  prepare: 'series-2',
  dedup: 'series-4',
  servers: 'series-1',
  write: 'series-5',
}

/** Bottleneck of each span between two points. */
function bottleneckSpans(points: readonly SeriesPoint[]) {
  return points.slice(1).map((point, at) => ({
    name: point.bottleneck,
    seconds: point.seconds - (points[at]?.seconds ?? 0),
  }))
}

/** Share of the time that each bottleneck had, the largest first. */
export function bottleneckShares(points: readonly SeriesPoint[]): [name: string, share: number][] {
  const spans = bottleneckSpans(points)
  const total = spans.reduce((sum, { seconds }) => sum + seconds, 0)
  const shares = new Map<string, number>()
  for (const { name, seconds } of spans) shares.set(name, (shares.get(name) ?? 0) + seconds / Math.max(0.001, total))
  return [...shares].sort(([, a], [, b]) => b - a)
}

function BottleneckStrip({ points }: { readonly points: readonly SeriesPoint[] }) {
  const spans = bottleneckSpans(points)
  const listed = bottleneckShares(points)
  return (
    <figure class="plot">
      <figcaption>
        <span class="plot-unit">{say`Bottleneck`}</span>
        {listed.map(([name, share]) => (
          <span class="key" key={name}>
            <i style={{ background: `var(--${bottleneckColours[name] ?? 'muted'})` }} aria-hidden="true" />
            {stageName(name)} {percent(share)}
          </span>
        ))}
      </figcaption>
      <div class="strip" aria-hidden="true" style={{ marginLeft: `${gridLeft}px`, marginRight: `${gridRight}px` }}>
        {spans.map(({ name, seconds }, at) => (
          <i key={at} style={{ flexGrow: seconds, background: `var(--${bottleneckColours[name] ?? 'muted'})` }} />
        ))}
      </div>
    </figure>
  )
}
