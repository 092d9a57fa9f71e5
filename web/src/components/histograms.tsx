/** Distributions of rows: grades, lengths, and what is asked for. */
import type { EChartsCoreOption } from 'echarts/core'
import { useCallback } from 'preact/hooks'
import type { GradeCounts, RunView } from '../../../lib/pages/view.js'
import { digits, percent, say, short, translated } from '../say.js'
import { Chart, type Palette } from './chart.js'
import { Bars, Empty } from './frame.js'

interface Bin {
  readonly name: string
  readonly rows: number
  readonly rejected: number
}

interface HistogramOptions {
  readonly title: string
  readonly label: string
  readonly bins: readonly Bin[]
  readonly hasRejects: boolean
}

function Histogram({ title, label, bins, hasRejects }: HistogramOptions) {
  const option = useCallback(
    (palette: Palette): EChartsCoreOption => ({
      grid: { left: 40, right: 8, top: 10, bottom: 22 },
      tooltip: {
        trigger: 'axis',
        axisPointer: { type: 'none' },
        formatter: (items: { name: string; seriesName: string; value: number }[]) =>
          [items[0]?.name ?? '', ...items.map(({ seriesName, value }) => `${seriesName}  ${digits(value)}`)].join('\n'),
      },
      xAxis: {
        type: 'category',
        data: bins.map(({ name }) => name),
        axisLabel: { color: palette.muted, fontSize: 11, hideOverlap: true },
        axisLine: { lineStyle: { color: palette.line } },
        axisTick: { show: false },
      },
      yAxis: {
        type: 'value',
        axisLabel: { color: palette.muted, fontSize: 11, formatter: (value: number) => short(value) },
        splitLine: { lineStyle: { color: palette.line } },
        splitNumber: 3,
      },
      series: [
        bar(
          say`Rows`,
          bins.map(({ rows }) => rows),
          palette.series[0] as string,
        ),
        ...(hasRejects
          ? [
              bar(
                say`Rejects`,
                bins.map(({ rejected }) => rejected),
                palette.bad,
              ),
            ]
          : []),
      ],
    }),
    [bins, hasRejects],
  )
  return (
    <figure class="plot">
      <figcaption>
        <span class="plot-title">{title}</span>
        {hasRejects && (
          <>
            <span class="key">
              <i style={{ background: 'var(--series-1)' }} aria-hidden="true" />
              {say`Rows`}
            </span>
            <span class="key">
              <i style={{ background: 'var(--bad)' }} aria-hidden="true" />
              {say`Rejects`}
            </span>
          </>
        )}
      </figcaption>
      <Chart label={label} height={170} option={option} />
    </figure>
  )
}

function bar(name: string, data: readonly number[], color: string): object {
  return { type: 'bar', name, data, stack: 'all', barCategoryGap: '14%', itemStyle: { color } }
}

export function Distributions({ view }: { readonly view: RunView }) {
  const { grades, lengths, types, words } = view
  const all = types.reduce((sum, [, count]) => sum + count, 0)
  if (view.totals.rows === 0) return <Empty>{say`No row is committed yet.`}</Empty>
  return (
    <div class="grid-3">
      {grades.map((each) => (
        <GradeHistogram key={each.column} grades={each} />
      ))}
      {['instruction', 'output', 'raw'].map((name) => (
        <LengthHistogram key={name} name={name} counts={lengths[name] ?? []} />
      ))}
      {all > 0 && (
        <figure class="plot">
          <figcaption>
            <span class="plot-title">{say`What is asked for`}</span>
          </figcaption>
          <Bars
            rows={types
              .slice(0, 9)
              .map(([name, value]) => ({ name: translated(name), value, text: percent(value / all) }))}
          />
        </figure>
      )}
      {words.map(({ column, counts }) => (
        <figure class="plot" key={column}>
          <figcaption>
            <span class="plot-title">{column}</span>
          </figcaption>
          <Bars rows={counts.slice(0, 9).map(([name, value]) => ({ name, value, text: digits(value) }))} />
        </figure>
      ))}
    </div>
  )
}

function GradeHistogram({ grades: { column, rows, rejected } }: { readonly grades: GradeCounts }) {
  const bins = rows.map((count, at) => ({
    name: (at / 10).toFixed(1),
    rows: count,
    rejected: rejected?.[at] ?? 0,
  }))
  return (
    <Histogram
      title={say`Grade: ${column}`}
      label={say`Rows and rejects by the grade ${column}, in tenths`}
      bins={bins}
      hasRejects={rejected !== null}
    />
  )
}

function LengthHistogram({ name, counts }: { readonly name: string; readonly counts: readonly number[] }) {
  const first = counts.findIndex((count) => count > 0)
  const last = counts.findLastIndex((count) => count > 0)
  if (first < 0) return null
  const bins = counts.slice(first, last + 1).map((count, at) => ({
    name: short(2 ** (first + at)),
    rows: count,
    rejected: 0,
  }))
  const titles: Readonly<Record<string, string>> = {
    instruction: say`Length of instructions, characters`,
    output: say`Length of outputs, characters`,
    raw: say`Length of texts, characters`,
  }
  return <Histogram title={titles[name] ?? name} label={titles[name] ?? name} bins={bins} hasRejects={false} />
}
