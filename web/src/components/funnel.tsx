/** The funnel of a run: a Sankey diagram where there is space for it, and always a list with the same figures. */
import type { EChartsCoreOption } from 'echarts/core'
import { useCallback } from 'preact/hooks'
import type { StageFlow } from '../../../lib/pages/view.js'
import { digits, percent, say, stageName } from '../say.js'
import { Chart, type Palette } from './chart.js'
import { Empty } from './frame.js'

/** Reasons of a stage with a band of their own; the others share one. */
const reasonsShownMax = 3

export function Funnel({ stages, rows }: { readonly stages: readonly StageFlow[]; readonly rows: number }) {
  const option = useCallback((palette: Palette) => sankey(stages, rows, palette), [stages, rows])
  if (stages.length === 0) return <Empty>{say`Nothing is committed yet.`}</Empty>
  const label = say`Flow of records from documents to rows, with the rejects of each stage; the list has the same figures.`
  return (
    <>
      <div class="wide-only">
        <Chart label={label} height={400} option={option} />
        <p class="note">
          {say`A band is as wide as its share of the records. Documents are drawn as wide as the chunks that they become.`}
        </p>
      </div>
      <ol class="funnel">
        {stages.map((stage) => (
          <FunnelStage key={stage.name} stage={stage} />
        ))}
        <li class="funnel-rows">
          <span class="funnel-name">{say`Rows`}</span>
          <span class="funnel-count">{digits(rows)}</span>
        </li>
      </ol>
    </>
  )
}

function FunnelStage({ stage }: { readonly stage: StageFlow }) {
  const { name, reasons } = stage
  return (
    <li>
      <span class="funnel-name">{stageName(name)}</span>
      <span class="funnel-count">
        {digits(stage.in)} → {digits(stage.out)}
      </span>
      <span class="funnel-track" aria-hidden="true">
        <i style={{ width: `${stage.in === 0 ? 0 : (100 * stage.out) / stage.in}%` }} />
      </span>
      <span class="funnel-kept">{stage.in === 0 ? '–' : percent(stage.out / stage.in)}</span>
      <span class="funnel-reasons">
        {reasons.map(([reason, count]) => (
          <span key={reason}>
            <code>{reason}</code> {digits(count)}
          </span>
        ))}
      </span>
    </li>
  )
}

interface Band {
  readonly source: string
  readonly target: string
  readonly value: number
  readonly count: number
}

/** Stages keep their order; a band to a reason ends in the next column. */
function sankey(stages: readonly StageFlow[], rows: number, palette: Palette): EChartsCoreOption {
  const scales = scalesOf(stages)
  const bands: Band[] = []
  const nodes: object[] = []
  const stageLabel = (name: string, count: number) => ({ formatter: `{a|${name}}\n{b|${digits(count)}}` })
  stages.forEach((stage, at) => {
    const scale = scales[at] ?? 1
    const id = `stage ${at}`
    const next = at + 1 < stages.length ? `stage ${at + 1}` : 'rows'
    nodes.push({
      name: id,
      depth: at,
      itemStyle: { color: palette.accent },
      label: stageLabel(stageName(stage.name), stage.in),
      shown: stageName(stage.name),
      count: stage.in,
    })
    bands.push({ source: id, target: next, value: stage.out * scale, count: stage.out })
    for (const [reason, count] of joinedReasons(stage)) {
      const end = `${id} ${reason}`
      nodes.push({
        name: end,
        depth: at + 1,
        itemStyle: { color: palette.bad, opacity: 0.75 },
        label: { formatter: `{c|${reason}} {d|${digits(count)}}` },
        shown: reason,
        count,
      })
      bands.push({ source: id, target: end, value: count * scale, count })
    }
  })
  nodes.push({
    name: 'rows',
    depth: stages.length,
    itemStyle: { color: palette.good },
    label: stageLabel(say`Rows`, rows),
    shown: say`Rows`,
    count: rows,
  })
  return {
    tooltip: {
      trigger: 'item',
      formatter: ({ data }: { data: { shown?: string; count: number } }) =>
        data.shown === undefined ? digits(data.count) : `${data.shown}: ${digits(data.count)}`,
    },
    series: [
      {
        type: 'sankey',
        data: nodes,
        links: bands.filter(({ value }) => value > 0),
        left: 4,
        right: 84,
        top: 6,
        bottom: 6,
        nodeWidth: 10,
        nodeGap: 13,
        nodeAlign: 'left',
        layoutIterations: 0,
        draggable: false,
        emphasis: { focus: 'adjacency' },
        lineStyle: { color: 'source', opacity: 0.22, curveness: 0.5 },
        label: {
          fontSize: 12,
          lineHeight: 15,
          color: palette.text,
          rich: {
            a: { color: palette.text, fontWeight: 600, fontSize: 12, lineHeight: 16 },
            b: { color: palette.muted, fontSize: 12, lineHeight: 15 },
            c: { color: palette.text, fontSize: 11 },
            d: { color: palette.muted, fontSize: 11 },
          },
        },
      },
    ],
  }
}

/** Widths of a unit's bands are scaled so that what leaves a stage is as wide as what the next one takes in. */
function scalesOf(stages: readonly StageFlow[]): number[] {
  const scales = new Array<number>(stages.length).fill(1)
  for (let at = stages.length - 2; at >= 0; at--) {
    const { out } = stages[at] as StageFlow
    const next = stages[at + 1] as StageFlow
    const after = scales[at + 1] ?? 1
    scales[at] = out > 0 && next.in > 0 ? (after * next.in) / out : after
  }
  return scales
}

function joinedReasons({ reasons }: StageFlow): [reason: string, count: number][] {
  const shown = reasons.slice(0, reasonsShownMax).map(([reason, count]): [string, number] => [reason, count])
  const others = reasons.slice(reasonsShownMax)
  const rest = others.reduce((sum, [, count]) => sum + count, 0)
  if (rest > 0) shown.push([say`${others.length} other reasons`, rest])
  return shown
}
