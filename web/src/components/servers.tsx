/** Model servers: their load now, and over the time of the call. */
import { useMemo } from 'preact/hooks'
import type { EndpointPoint, SeriesPoint } from '../../../lib/pages/view.js'
import { digits, percent, say } from '../say.js'
import { Empty } from './frame.js'
import { Lines } from './throughput.js'

export function Servers({ points }: { readonly points: readonly SeriesPoint[] }) {
  const last = points.at(-1)
  const load = useMemo(() => {
    const sum = (of: (endpoint: EndpointPoint) => number | null) =>
      points.slice(1).map(({ endpoints }) => endpoints.reduce((all, endpoint) => all + (of(endpoint) ?? 0), 0))
    return [
      { name: say`In flight`, values: sum(({ inFlight }) => inFlight) },
      { name: say`Running`, values: sum(({ running }) => running) },
      { name: say`Waiting at the server`, values: sum(({ waiting }) => waiting) },
      { name: say`Waiting here`, values: points.slice(1).map(({ callsWaiting }) => callsWaiting) },
    ]
  }, [points])
  const cache = useMemo(
    () =>
      (last?.endpoints ?? []).map(({ endpoint }) => ({
        name: hostOf(endpoint),
        values: points.slice(1).map(({ endpoints }) => {
          const usage = endpoints.find((each) => each.endpoint === endpoint)?.kvUsage ?? null
          return usage === null ? null : 100 * usage
        }),
      })),
    [points],
  )
  if (last === undefined || last.endpoints.length === 0) return <Empty>{say`No figures yet.`}</Empty>
  return (
    <>
      <section class="table" tabIndex={0} aria-label={say`Model servers`}>
        <table>
          <thead>
            <tr>
              <th scope="col">{say`Server`}</th>
              <th scope="col" class="number">{say`In flight`}</th>
              <th scope="col" class="number">{say`Limit`}</th>
              <th scope="col" class="number">{say`Running`}</th>
              <th scope="col" class="number">{say`Waiting`}</th>
              <th scope="col" class="number">{say`KV cache`}</th>
            </tr>
          </thead>
          <tbody>
            {last.endpoints.map(({ endpoint, inFlight, limit, running, waiting, kvUsage, down }) => (
              <tr key={endpoint}>
                <th scope="row">
                  {hostOf(endpoint)} {down && <span class="tag state-killed">{say`down`}</span>}
                </th>
                <td class="number">{digits(inFlight)}</td>
                <td class="number">{digits(limit)}</td>
                <td class="number">{running === null ? '–' : digits(running)}</td>
                <td class="number">{waiting === null ? '–' : digits(waiting)}</td>
                <td class="number">{kvUsage === null ? '–' : percent(kvUsage)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {points.length > 2 && (
        <div class="grid-2 servers-plots">
          <Lines label={say`Requests over time`} points={points} lines={load} unit={say`Requests at once`} />
          <Lines
            label={say`KV cache in use over time`}
            points={points}
            lines={cache}
            unit={say`% of the KV cache`}
            most={100}
          />
        </div>
      )}
    </>
  )
}

function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).host : endpoint
}
