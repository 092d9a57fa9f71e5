/** An ECharts plot in the colours of the page. Its content is hidden from assistive technology, which gets `label`. */
import { BarChart, LineChart, SankeyChart } from 'echarts/charts'
import { GridComponent, MarkLineComponent, TooltipComponent } from 'echarts/components'
import { type ECharts, type EChartsCoreOption, init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { useEffect, useRef } from 'preact/hooks'
import { useFrame } from '../app.js'

use([BarChart, LineChart, SankeyChart, GridComponent, MarkLineComponent, TooltipComponent, SVGRenderer])

/** Colours of the page as CSS values. */
export interface Palette {
  readonly text: string
  readonly muted: string
  readonly line: string
  readonly surface: string
  readonly accent: string
  readonly good: string
  readonly bad: string
  readonly series: readonly string[]
}

function palette(): Palette {
  const style = getComputedStyle(document.documentElement)
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    text: of('text'),
    muted: of('muted'),
    line: of('line'),
    surface: of('surface'),
    accent: of('accent'),
    good: of('good'),
    bad: of('bad'),
    series: Array.from({ length: 6 }, (_, at) => of(`series-${at + 1}`)),
  }
}

export const chartFont =
  'system-ui, -apple-system, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif'

interface ChartOptions {
  /** What the plot shows, in one sentence. */
  readonly label: string
  readonly height: number
  readonly option: (palette: Palette, width: number) => EChartsCoreOption
}

export function Chart({ label, height, option }: ChartOptions) {
  const place = useRef<HTMLDivElement>(null)
  const chart = useRef<ECharts | null>(null)
  const draw = useRef<() => void>(() => undefined)
  const { dark } = useFrame()
  draw.current = () => {
    const element = place.current
    if (element === null || element.clientWidth === 0) return
    const colours = palette()
    const own = option(colours, element.clientWidth)
    chart.current?.setOption(
      {
        animation: false,
        textStyle: { fontFamily: chartFont, color: colours.text },
        ...own,
        tooltip: {
          // Text only: no data of the run becomes markup.
          renderMode: 'richText',
          confine: true,
          backgroundColor: colours.surface,
          borderColor: colours.line,
          borderWidth: 1,
          padding: [6, 9],
          textStyle: { color: colours.text, fontSize: 12, fontFamily: chartFont },
          ...(own.tooltip as object | undefined),
        },
      },
      { notMerge: true },
    )
  }
  useEffect(() => {
    const element = place.current as HTMLDivElement
    const created = init(element, null, { renderer: 'svg' })
    chart.current = created
    const observer = new ResizeObserver(() => {
      created.resize()
      draw.current()
    })
    observer.observe(element)
    return () => {
      observer.disconnect()
      created.dispose()
      chart.current = null
    }
  }, [])
  useEffect(() => draw.current(), [option, dark])
  return (
    <div class="chart" role="img" aria-label={label}>
      <div ref={place} aria-hidden="true" style={{ height: `${height}px` }} />
    </div>
  )
}
