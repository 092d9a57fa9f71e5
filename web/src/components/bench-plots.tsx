/** Plots of a benchmark of a model server: rates and times over the requests in flight. */
import type { EChartsCoreOption } from 'echarts/core'
import { useCallback } from 'preact/hooks'
import type { LevelResult, SweepResult } from '../../../lib/pages/view.js'
import { say, short } from '../say.js'
import { Chart, type Palette } from './chart.js'

type Point = readonly [concurrency: number, value: number]

interface PlotSeries {
  readonly name: string
  readonly points: readonly Point[]
  /** Place of its colour. */
  readonly colour: number
  readonly kind: 'line' | 'dashes' | 'points'
}

interface PlotOptions {
  readonly label: string
  readonly title: string
  readonly unit: string
  readonly series: readonly PlotSeries[]
  readonly most: number
  /** Vertical marks. */
  readonly marks?: readonly { readonly at: number; readonly name: string }[]
  readonly height?: number
}

/** Values over the requests in flight, whose axis doubles. */
function ConcurrencyPlot({ label, title, unit, series, most, marks = [], height = 220 }: PlotOptions) {
  const option = useCallback(
    (palette: Palette): EChartsCoreOption => {
      const colourOf = (place: number): string => palette.series[place % palette.series.length] ?? palette.text
      return {
        grid: { left: 52, right: 18, top: marks.length > 0 ? 30 : 12, bottom: 40 },
        tooltip: {
          trigger: 'item',
          formatter: ({ seriesName, value }: { seriesName: string; value: Point }) =>
            `${say`${Number(value[0].toPrecision(3))} in flight`}\n${seriesName}  ${short(value[1])} ${unit}`,
        },
        xAxis: {
          type: 'log',
          logBase: 2,
          min: 1,
          max: most,
          name: say`Requests in flight`,
          nameLocation: 'middle',
          nameGap: 24,
          nameTextStyle: { color: palette.muted, fontSize: 11 },
          axisLabel: {
            color: palette.muted,
            fontSize: 11,
            formatter: (value: number) => short(value),
            hideOverlap: true,
          },
          axisLine: { lineStyle: { color: palette.line } },
          splitLine: { show: false },
        },
        yAxis: {
          type: 'value',
          min: 0,
          axisLabel: { color: palette.muted, fontSize: 11, formatter: (value: number) => short(value) },
          splitLine: { lineStyle: { color: palette.line } },
          splitNumber: 4,
        },
        series: series.map(({ name, points, colour, kind }, at) => ({
          type: 'line',
          name,
          data: points,
          showSymbol: kind !== 'dashes',
          symbol: 'circle',
          symbolSize: kind === 'points' ? 7 : 5,
          lineStyle: {
            width: kind === 'points' ? 0 : 1.6,
            color: colourOf(colour),
            type: kind === 'dashes' ? 'dashed' : 'solid',
          },
          itemStyle: { color: colourOf(colour) },
          ...(at === 0 && {
            markLine: {
              silent: true,
              symbol: 'none',
              lineStyle: { color: palette.muted, type: 'dotted', width: 1.2 },
              label: { color: palette.text, fontSize: 11, formatter: ({ name: text }: { name: string }) => text },
              data: marks.map(({ at: xAxis, name: text }) => ({ xAxis, name: text })),
            },
          }),
        })),
      }
    },
    [series, marks, most, unit],
  )
  return (
    <figure class="plot">
      <figcaption>
        <span class="plot-title">{title}</span> <span class="plot-unit">{unit}</span>
        {series.map(({ name, colour }) => (
          <span class="key" key={name}>
            <i style={{ background: `var(--series-${(colour % 6) + 1})` }} aria-hidden="true" />
            {name}
          </span>
        ))}
      </figcaption>
      <Chart label={label} height={height} option={option} />
    </figure>
  )
}

export function rateOf(sweep: SweepResult, level: LevelResult): number {
  return sweep.unit === 'tokens' ? level.outputTokensPerSecond : level.requestsPerSecond
}

export function unitOf(sweep: SweepResult): string {
  return sweep.unit === 'tokens' ? say`output tokens/s` : say`requests/s`
}

interface SweepPlotOptions {
  readonly sweep: SweepResult
  readonly earlier: SweepResult | null
}

export function SweepPlots({ sweep, earlier }: SweepPlotOptions) {
  const { levels } = sweep
  if (levels.length === 0) return <p class="empty">{say`No level was measured.`}</p>
  const most = Math.max(2, ...levels.map(({ concurrency }) => concurrency))
  const times: PlotSeries[] = [
    timesOf(levels, say`First token, median`, 0, 'line', (level) => level.firstTokenMs?.p50),
    timesOf(levels, say`First token, 95 %`, 0, 'dashes', (level) => level.firstTokenMs?.p95),
    timesOf(levels, say`Whole reply, median`, 1, 'line', (level) => level.latencyMs.p50),
    timesOf(levels, say`Whole reply, 95 %`, 1, 'dashes', (level) => level.latencyMs.p95),
  ]
  const decode = timesOf(levels, say`Per token, median`, 2, 'line', (level) => level.decodeMsPerToken?.p50)
  const prefill = timesOf(levels, say`Prompt tokens`, 3, 'line', (level) => level.promptTokensPerSecond)
  return (
    <div class="throughput">
      <RatePlot sweep={sweep} earlier={earlier} most={most} />
      <ConcurrencyPlot
        label={say`Time to the first token and to the whole reply over the requests in flight`}
        title={say`Latency`}
        unit={say`ms`}
        series={times.filter(({ points }, at) => points.length > 0 && (at > 1 || sweep.unit === 'tokens'))}
        most={most}
      />
      {decode.points.length > 0 && (
        <ConcurrencyPlot
          label={say`Time per decoded token over the requests in flight`}
          title={say`Time per token`}
          unit={say`ms per token`}
          series={[decode]}
          most={most}
          height={170}
        />
      )}
      <ConcurrencyPlot
        label={say`Prompt tokens per second over the requests in flight`}
        title={say`Prefill`}
        unit={say`tokens/s`}
        series={[prefill]}
        most={most}
        height={170}
      />
    </div>
  )
}

function RatePlot({ sweep, earlier, most }: SweepPlotOptions & { readonly most: number }) {
  const { knee, limiter, levels } = sweep
  const series: PlotSeries[] = [
    {
      name: say`Measured`,
      points: levels.map((level) => [level.concurrency, rateOf(sweep, level)]),
      colour: 0,
      kind: 'points',
    },
  ]
  if (knee !== null) {
    series.push({ name: say`Fitted`, points: knee.curve.filter(([at]) => at <= most), colour: 2, kind: 'dashes' })
  }
  if (limiter !== null) {
    const point: Point = [Math.min(most, Math.max(1, limiter.limit)), limiter.rate]
    series.push({ name: say`Limiter of kun-stream`, points: [point], colour: 1, kind: 'points' })
  }
  if (earlier !== null) {
    const points = earlier.levels.map((level): Point => [level.concurrency, rateOf(earlier, level)])
    series.push({ name: say`Earlier`, points: points.filter(([at]) => at <= most), colour: 5, kind: 'points' })
  }
  const at = knee?.concurrency ?? null
  const marks = at === null ? [] : [{ at, name: say`knee ${Math.round(at)}` }]
  return (
    <ConcurrencyPlot
      label={say`Rate over the requests in flight, with the knee; the table has the same figures`}
      title={say`Rate`}
      unit={unitOf(sweep)}
      series={series}
      most={most}
      marks={marks}
      height={260}
    />
  )
}

/** Medians of repeats would hide their noise: the mean of them is drawn, for levels that have a value. */
function timesOf(
  levels: readonly LevelResult[],
  name: string,
  colour: number,
  kind: PlotSeries['kind'],
  of: (level: LevelResult) => number | undefined,
): PlotSeries {
  const values = new Map<number, number[]>()
  for (const level of levels) {
    const value = of(level)
    if (value !== undefined) values.set(level.concurrency, [...(values.get(level.concurrency) ?? []), value])
  }
  const points = [...values].map(([at, own]): Point => [at, own.reduce((sum, value) => sum + value, 0) / own.length])
  return { name, points, colour, kind }
}
