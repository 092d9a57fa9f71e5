/** What the reviews say of the score, and how reviewers agree. */
import type { EChartsCoreOption } from 'echarts/core'
import { useCallback } from 'preact/hooks'
import type { ReviewerAgreement, ReviewSummary, ScoreAgreement, ScoreBin } from '../../../lib/pages/view.js'
import { digits, percent, say } from '../say.js'
import { Chart, type Palette } from './chart.js'
import { Empty, type Figure, Figures } from './frame.js'

/** Below this many good and bad reviews the page says that the threshold is uncertain. */
const enoughReviews = 50

export function ReviewFigures({ summary: { score, agreements, faults } }: { readonly summary: ReviewSummary }) {
  const { good, bad, edit, auc, threshold } = score
  const figures: Figure[] = [
    { name: say`Good`, value: digits(good) },
    { name: say`Bad`, value: digits(bad) },
    { name: say`Edited`, value: digits(edit) },
    ...(auc === null
      ? []
      : [{ name: say`Agreement with the score`, value: percent(auc), note: say`good above bad; 50 % is chance` }]),
    ...(threshold === null
      ? []
      : [
          {
            name: say`Suggested threshold`,
            value: String(threshold.keepAtLeast),
            note: say`balanced accuracy ${percent(threshold.balancedAccuracy)}`,
          },
        ]),
  ]
  return (
    <>
      {faults.length > 0 && (
        <div class="notices">
          {faults.map((fault) => (
            <p key={fault}>{fault}</p>
          ))}
        </div>
      )}
      <Figures figures={figures} />
      {threshold === null ? (
        <Empty>{say`A suggested threshold needs at least one good and one bad pair with a score.`}</Empty>
      ) : (
        <ThresholdText score={score} threshold={threshold} />
      )}
      {good + bad + edit > 0 && <VerdictHistogram bins={score.bins} />}
      {agreements.length > 0 && <Agreements agreements={agreements} />}
    </>
  )
}

interface ThresholdOptions {
  readonly score: ScoreAgreement
  readonly threshold: NonNullable<ScoreAgreement['threshold']>
}

function ThresholdText({ score: { scored }, threshold }: ThresholdOptions) {
  const { keepAtLeast, goodKept, badDropped } = threshold
  return (
    <>
      <p class="note">
        {say`keepAtLeast: ${keepAtLeast} keeps ${goodKept} good and drops ${badDropped} bad of ${scored} reviewed pairs. No other threshold has a higher balanced accuracy: the mean of the share of good pairs kept and of bad pairs dropped.`}
      </p>
      {scored < enoughReviews && (
        <p class="note">{say`Fewer than ${enoughReviews} pairs are judged good or bad: the threshold is uncertain.`}</p>
      )}
    </>
  )
}

function VerdictHistogram({ bins }: { readonly bins: readonly ScoreBin[] }) {
  const kinds: readonly (readonly [name: string, key: 'good' | 'bad' | 'edit', color: string])[] = [
    [say`Good`, 'good', 'good'],
    [say`Bad`, 'bad', 'bad'],
    [say`Edited`, 'edit', 'accent'],
  ]
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
        data: bins.map(({ from }) => from.toFixed(1)),
        axisLabel: { color: palette.muted, fontSize: 11, hideOverlap: true },
        axisLine: { lineStyle: { color: palette.line } },
        axisTick: { show: false },
      },
      yAxis: {
        type: 'value',
        minInterval: 1,
        axisLabel: { color: palette.muted, fontSize: 11 },
        splitLine: { lineStyle: { color: palette.line } },
        splitNumber: 3,
      },
      series: kinds.map(([name, key, color]) => ({
        type: 'bar',
        name,
        data: bins.map((bin) => bin[key]),
        stack: 'all',
        barCategoryGap: '14%',
        itemStyle: { color: palette[color as 'good' | 'bad' | 'accent'] },
      })),
    }),
    [bins],
  )
  return (
    <figure class="plot review-plot">
      <figcaption>
        <span class="plot-title">{say`Reviews by score`}</span>
        {kinds.map(([name, key, color]) => (
          <span class="key" key={key}>
            <i style={{ background: `var(--${color})` }} aria-hidden="true" />
            {name}
          </span>
        ))}
      </figcaption>
      <Chart label={say`Good, bad and edited pairs by score, in tenths`} height={170} option={option} />
    </figure>
  )
}

function Agreements({ agreements }: { readonly agreements: readonly ReviewerAgreement[] }) {
  return (
    <div class="table review-agreements">
      <table>
        <thead>
          <tr>
            <th scope="col">{say`Reviewers`}</th>
            <th scope="col" class="number">{say`Both judged`}</th>
            <th scope="col" class="number">{say`The same`}</th>
            <th scope="col" class="number">{say`Cohen's kappa`}</th>
          </tr>
        </thead>
        <tbody>
          {agreements.map(({ first, second, rows, same, kappa }) => (
            <tr key={`${first}\n${second}`}>
              <th scope="row">
                {first} · {second}
              </th>
              <td class="number">{digits(rows)}</td>
              <td class="number">{rows === 0 ? '–' : percent(same / rows)}</td>
              <td class="number">{kappa === null ? '–' : kappa.toFixed(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
