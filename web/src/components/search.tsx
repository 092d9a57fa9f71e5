/** Search over the committed rows or rejects, in steps of a limited number of records. */
import { useState } from 'preact/hooks'
import type { PairView, RejectExample, RunView, SearchQuery } from '../../../lib/pages/view.js'
import { search } from '../live.js'
import { digits, say } from '../say.js'
import { Empty } from './frame.js'
import { Pair, RejectText } from './records.js'

interface Found {
  readonly query: SearchQuery
  readonly pairs: readonly PairView[]
  readonly rejects: readonly RejectExample[]
  readonly read: number
  readonly all: number
  readonly next: number | null
}

/** Results that a page lists. */
const resultsMax = 240

export function Search({ view }: { readonly view: RunView }) {
  const [kind, setKind] = useState<SearchQuery['kind']>('rows')
  const [text, setText] = useState('')
  const [reason, setReason] = useState('')
  const [split, setSplit] = useState('')
  const [found, setFound] = useState<Found | null>(null)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const run = (query: SearchQuery, before: Found | null): void => {
    setBusy(true)
    search(query)
      .then(
        ({ pairs, rejects, read, all, next }) => {
          setProblem('')
          setFound({
            query,
            pairs: [...(before?.pairs ?? []), ...pairs],
            rejects: [...(before?.rejects ?? []), ...rejects],
            read,
            all,
            next,
          })
        },
        (error: Error) => setProblem(error.message),
      )
      .finally(() => setBusy(false))
  }
  const splits = [...new Set(view.sources.map((source) => source.split))].sort()
  const reasons = [...new Set(view.rejects.map((each) => each.reason))].sort()
  return (
    <>
      <search>
        <form
          class="search"
          onSubmit={(event) => {
            event.preventDefault()
            run({ kind, text, split, reason: kind === 'rejects' ? reason : '', from: 0 }, null)
          }}
        >
          <label>
            <span>{say`Search in`}</span>
            <select value={kind} onChange={({ currentTarget }) => setKind(currentTarget.value as SearchQuery['kind'])}>
              <option value="rows">{say`Rows`}</option>
              <option value="rejects">{say`Rejects`}</option>
            </select>
          </label>
          <label>
            <span>{say`Split`}</span>
            <select value={split} onChange={({ currentTarget }) => setSplit(currentTarget.value)}>
              <option value="">{say`All`}</option>
              {splits.map((each) => (
                <option key={each} value={each}>
                  {each}
                </option>
              ))}
            </select>
          </label>
          {kind === 'rejects' && (
            <label>
              <span>{say`Reason`}</span>
              <select value={reason} onChange={({ currentTarget }) => setReason(currentTarget.value)}>
                <option value="">{say`All`}</option>
                {reasons.map((each) => (
                  <option key={each} value={each}>
                    {each}
                  </option>
                ))}
              </select>
            </label>
          )}
          <label class="search-text">
            <span>{say`Text, id or shard`}</span>
            <input
              type="search"
              maxLength={200}
              value={text}
              onInput={({ currentTarget }) => setText(currentTarget.value)}
            />
          </label>
          <button type="submit" disabled={busy}>
            {say`Search`}
          </button>
        </form>
      </search>
      <div aria-live="polite">
        {problem !== '' && <p class="problem">{problem}</p>}
        {found !== null && <Results found={found} busy={busy} more={(query) => run(query, found)} />}
      </div>
    </>
  )
}

interface ResultsOptions {
  readonly found: Found
  readonly busy: boolean
  readonly more: (query: SearchQuery) => void
}

function Results({ found: { query, pairs, rejects, read, all, next }, busy, more }: ResultsOptions) {
  const count = pairs.length + rejects.length
  return (
    <>
      <p class="note">{say`${digits(count)} found in ${digits(read)} of ${digits(all)} records, the latest first.`}</p>
      {count === 0 && next === null && <Empty>{say`Nothing found.`}</Empty>}
      <div class="pairs">
        {pairs.map((pair) => (
          <Pair key={pair.id} pair={pair} />
        ))}
      </div>
      <ul class="examples examples-found">
        {rejects.map((reject) => (
          <li key={`${reject.id} ${reject.stage} ${reject.detail}`}>
            <RejectText reject={reject} />
          </li>
        ))}
      </ul>
      {next !== null && count < resultsMax && (
        <button type="button" class="more" disabled={busy} onClick={() => more({ ...query, from: next })}>
          {say`Continue the search`}
        </button>
      )}
    </>
  )
}
