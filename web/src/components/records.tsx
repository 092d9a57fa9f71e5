/** Pairs and rejects as the reader of a dataset reads them. */
import { useState } from 'preact/hooks'
import type { PairView, ReasonCount, RejectExample, RunView } from '../../../lib/pages/view.js'
import { digits, language, percent, say, stageName } from '../say.js'
import { Empty } from './frame.js'

export function Pairs({ pairs }: { readonly pairs: readonly PairView[] }) {
  if (pairs.length === 0) return <Empty>{say`No pair is finished yet.`}</Empty>
  return (
    <div class="pairs">
      {pairs.map((pair) => (
        <Pair key={`${pair.id} ${pair.committed}`} pair={pair} />
      ))}
    </div>
  )
}

/** Cells that the head of a pair shows. */
const shownCells = new Set(['score', 'screen', 'score_kind'])

export function Pair({ pair }: { readonly pair: PairView }) {
  const { split, source, cells, instruction, output, raw, committed, shard, id } = pair
  const others = cells.filter(([name]) => !shownCells.has(name))
  return (
    <article class="pair">
      <p class="pair-head">
        <span class="tag">{source === '' || source === split ? split : `${split} · ${source}`}</span>
        {cells
          .filter(([name]) => shownCells.has(name))
          .map(([name, value]) => (
            <span key={name}>
              {name} {value}
            </span>
          ))}
        {!committed && <span class="tag tag-open">{say`not committed yet`}</span>}
      </p>
      <p class="pair-instruction" lang="zh-CN">
        {instruction}
      </p>
      <p class="pair-output" lang="zh-CN">
        {output}
      </p>
      <details>
        <summary>{say`Source text and columns`}</summary>
        <p class="pair-raw" lang="zh-CN">
          {raw}
        </p>
        <p class="pair-cells">
          <code>{id}</code> <code>{shard}</code>{' '}
          {others.map(([name, value]) => (
            <span key={name}>
              {name} <b>{value}</b>
            </span>
          ))}
        </p>
      </details>
    </article>
  )
}

/** Reasons that are listed before the reader asks for all. */
const reasonsShownMax = 12

export function Rejects({ rejects, meanings }: Pick<RunView, 'rejects' | 'meanings'>) {
  const [all, setAll] = useState(false)
  if (rejects.length === 0) return <Empty>{say`Nothing was rejected.`}</Empty>
  const most = Math.max(1, ...rejects.map(({ count }) => count))
  const total = rejects.reduce((sum, { count }) => sum + count, 0)
  const shown = all ? rejects : rejects.slice(0, reasonsShownMax)
  return (
    <>
      <ul class="reasons">
        {shown.map((each) => (
          <Reason key={`${each.stage}/${each.reason}`} of={each} most={most} total={total} meanings={meanings} />
        ))}
      </ul>
      {rejects.length > shown.length && (
        <button type="button" class="more" onClick={() => setAll(true)}>
          {say`Show all ${rejects.length} reasons`}
        </button>
      )}
    </>
  )
}

interface ReasonOptions {
  readonly of: ReasonCount
  readonly most: number
  readonly total: number
  readonly meanings: RunView['meanings']
}

function Reason({ of: { stage, reason, count, examples }, most, total, meanings }: ReasonOptions) {
  const meaning = Object.hasOwn(meanings, reason) ? meanings[reason]?.[language()] : undefined
  const head = (
    <>
      <span class="reason-name">
        <code>{reason}</code>
        <span class="reason-stage">{stageName(stage)}</span>
      </span>
      <span class="reason-meaning">{meaning ?? ''}</span>
      <span class="reason-track" aria-hidden="true">
        <i style={{ width: `${(100 * count) / most}%` }} />
      </span>
      <span class="reason-count">
        {digits(count)} <small>{percent(count / total)}</small>
      </span>
    </>
  )
  if (examples.length === 0) return <li class="reason reason-head">{head}</li>
  return (
    <li class="reason">
      <details>
        <summary class="reason-head">{head}</summary>
        <ul class="examples">
          {examples.map((example) => (
            <li key={`${example.id} ${example.detail}`}>
              <RejectText reject={example} />
            </li>
          ))}
        </ul>
      </details>
    </li>
  )
}

export function RejectText({ reject }: { readonly reject: RejectExample }) {
  const { split, shard, detail, excerpt, raw, instruction, score } = reject
  return (
    <>
      <p class="pair-head">
        <span class="tag">{split}</span>
        <code>{shard}</code>
        {score !== null && <span>score {Number(score.toPrecision(3))}</span>}
        {detail !== '' && <span>{detail}</span>}
      </p>
      {instruction !== null && instruction !== '' && (
        <p class="pair-instruction" lang="zh-CN">
          {instruction}
        </p>
      )}
      <p class="pair-output" lang="zh-CN">
        {raw ?? excerpt}
      </p>
    </>
  )
}
