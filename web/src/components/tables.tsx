/** Tables of a run: its sources, its calls, its recipe and versions. */
import type { CallView, RunView, SourceYield } from '../../../lib/pages/view.js'
import { bytesText, digits, durationText, language, percent, say, short, stageName } from '../say.js'

export function Sources({
  sources,
  estimated,
}: {
  readonly sources: readonly SourceYield[]
  readonly estimated: boolean
}) {
  const most = Math.max(1, ...sources.map(({ rows }) => rows))
  return (
    <>
      <section class="table" tabIndex={0} aria-label={say`Yield by source`}>
        <table>
          <thead>
            <tr>
              <th scope="col">{say`Source`}</th>
              <th scope="col">{say`Split`}</th>
              <th scope="col" class="number">{say`Shards`}</th>
              <th scope="col" class="number">{say`Size`}</th>
              <th scope="col" class="number">{say`Documents`}</th>
              <th scope="col" class="number">{say`Rejects`}</th>
              <th scope="col" class="number">{say`Rows`}</th>
              <th scope="col" class="number">{say`Rows per document`}</th>
              <th scope="col">
                <span class="unseen">{say`Share`}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {sources.map((source) => (
              <tr key={`${source.split} ${source.name}`}>
                <th scope="row">{source.name}</th>
                <td>{source.split}</td>
                <td class="number">{digits(source.shards)}</td>
                <td class="number">{bytesText(source.bytes)}</td>
                <td class="number">{source.documents === null ? '–' : digits(source.documents)}</td>
                <td class="number">{digits(source.rejects)}</td>
                <td class="number">{digits(source.rows)}</td>
                <td class="number">
                  {source.documents === null || source.documents === 0
                    ? '–'
                    : (source.rows / source.documents).toFixed(2)}
                </td>
                <td class="cell-track" aria-hidden="true">
                  <i style={{ width: `${(100 * source.rows) / most}%` }} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {estimated && <p class="note">{say`Sources that share a split: estimated from a part of the files.`}</p>}
    </>
  )
}

export function Calls({ calls }: { readonly calls: readonly CallView[] }) {
  if (calls.length === 0) return null
  return (
    <section class="table" tabIndex={0} aria-label={say`Calls of run`}>
      <table>
        <thead>
          <tr>
            <th scope="col">{say`Started`}</th>
            <th scope="col" class="number">{say`Time`}</th>
            <th scope="col">{say`End`}</th>
            <th scope="col">{say`Bottleneck`}</th>
            <th scope="col" class="number">{say`Tokens/s`}</th>
            <th scope="col" class="number">{say`Tokens`}</th>
            <th scope="col" class="number">{say`Replies from disk`}</th>
            <th scope="col" class="number">{say`Retries`}</th>
            <th scope="col" class="number">{say`Peak memory`}</th>
            <th scope="col">{say`Host`}</th>
          </tr>
        </thead>
        <tbody>
          {calls.toReversed().map((call) => (
            <tr key={call.startedAt}>
              <th scope="row">{dateText(call.startedAt)}</th>
              <td class="number">{durationText(call.seconds)}</td>
              <td>{endText(call.end)}</td>
              <td>{stageName(call.bottleneck)}</td>
              <td class="number">{short(call.tokensPerSecond)}</td>
              <td class="number">{short(call.tokens)}</td>
              <td class="number">{digits(call.repliesServedFromDisk)}</td>
              <td class="number">{digits(call.retries)}</td>
              <td class="number">{bytesText(call.peakMemoryBytes)}</td>
              <td>{call.host}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

export function dateText(iso: string): string {
  return new Date(iso).toLocaleString(language() === 'zh' ? 'zh-CN' : 'en-GB', {
    dateStyle: 'medium',
    timeStyle: 'short',
  })
}

function endText(end: string): string {
  if (end === 'input') return say`End of the input`
  if (end === 'limit') return say`limits.rowsMax is reached`
  if (end === 'running') return say`Still running, or killed`
  return end
}

export function Recipe({ view }: { readonly view: RunView }) {
  const { recipe, versions, directory } = view
  return (
    <div class="recipe">
      <dl class="versions">
        {versions.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        <div>
          <dt>{say`Directory`}</dt>
          <dd>{directory}</dd>
        </div>
        <div>
          <dt>{say`Files`}</dt>
          <dd>
            {bytesText(view.totals.bytes)}, {say`${digits(view.totals.cuts)} cuts`}
          </dd>
        </div>
      </dl>
      {recipe !== '' && (
        <details>
          <summary>{say`Recipe with all defaults`}</summary>
          <pre tabIndex={0}>{recipe}</pre>
        </details>
      )}
    </div>
  )
}

export function yieldText(view: RunView): string {
  const { candidates, rows } = view.totals
  return candidates === 0 ? '–' : percent(rows / candidates)
}
