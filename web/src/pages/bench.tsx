/** bench-server.html: rates of a model server over the requests in flight. */
import { useEffect } from 'preact/hooks'
import type { BenchView, Comparison, ListResult, SweepResult, WorkloadName } from '../../../lib/pages/view.js'
import { SweepPlots, unitOf } from '../components/bench-plots.js'
import { Figures, Header, Section } from '../components/frame.js'
import { dateText } from '../components/tables.js'
import { digits, durationText, percent, say, short } from '../say.js'

function titleOf(name: WorkloadName): string {
  if (name === 'label') return say`Label: instructions from texts`
  if (name === 'score') return say`Score: one-token grades`
  return say`Polish: answers`
}

export function BenchPage({ view }: { readonly view: BenchView }) {
  const { result, earlier, comparisons } = view
  useEffect(() => {
    document.title = say`${result.model} – benchmark`
  }, [result])
  const hasLists = result.lists !== null && result.lists.length > 1
  const sections = [
    ...result.sweeps.map(({ workload }) => ({ id: workload, title: titleOf(workload) })),
    ...(hasLists ? [{ id: 'lists', title: say`Lists of prompts` }] : []),
    ...(comparisons === null ? [] : [{ id: 'compared', title: say`Comparison` }]),
  ]
  return (
    <>
      <Header
        title={result.model}
        sections={sections}
        below={say`${result.server} at ${result.url}; ${dateText(result.madeAt)}, ${digits(result.requests)} requests in ${durationText(result.seconds)}`}
      />
      <main>
        {!result.complete && (
          <p class="note">{say`The benchmark ended early: it has the levels that were measured until then.`}</p>
        )}
        {result.sweeps.map((sweep) => (
          <Section
            id={sweep.workload}
            key={sweep.workload}
            title={titleOf(sweep.workload)}
            note={say`${short(sweep.promptTokens)} tokens in, ${short(sweep.outputTokens)} out. The knee is the smallest number of requests in flight with 95 % of the best rate.`}
          >
            <SweepFigures sweep={sweep} />
            <SweepPlots
              sweep={sweep}
              earlier={earlier?.sweeps.find(({ workload }) => workload === sweep.workload) ?? null}
            />
            <LevelTable sweep={sweep} />
          </Section>
        ))}
        {hasLists && (
          <Section
            id="lists"
            title={say`Lists of prompts`}
            note={say`One-token grades with several prompts in a request (promptsPerRequest), with as many prompts in flight.`}
          >
            <ListTable lists={result.lists ?? []} />
          </Section>
        )}
        {comparisons !== null && (
          <Section id="compared" title={say`Comparison`} note={comparisonNote(view)}>
            <ComparisonTable comparisons={comparisons} />
          </Section>
        )}
      </main>
    </>
  )
}

function comparisonNote({ earlier }: BenchView): string {
  return say`With ${earlier?.model ?? ''} at ${earlier?.url ?? ''}, ${dateText(earlier?.madeAt ?? '')}. Marked: differences beyond the noise of repeated levels.`
}

function SweepFigures({ sweep }: { readonly sweep: SweepResult }) {
  const { knee, limiter, noise } = sweep
  const figures = [
    { name: say`Best rate`, value: knee === null ? '–' : short(knee.bestRate), note: unitOf(sweep) },
    {
      name: say`Knee`,
      value: knee?.concurrency == null ? '–' : digits(knee.concurrency),
      note: knee !== null && knee.concurrency === null ? say`the rate still grows` : say`in flight`,
    },
    ...(knee?.fullAt == null
      ? []
      : [{ name: say`Server full from`, value: digits(knee.fullAt), note: say`in flight` }]),
    ...(limiter === null
      ? []
      : [
          {
            name: say`Limiter of kun-stream`,
            value: percent(limiter.shareOfBest),
            note: say`of the best rate, with ${digits(limiter.limit)} in flight`,
          },
        ]),
    ...(noise === null ? [] : [{ name: say`Noise of repeated levels`, value: percent(noise) }]),
  ]
  return <Figures figures={figures} />
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? '–' : short(value)
}

function LevelTable({ sweep }: { readonly sweep: SweepResult }) {
  return (
    <section class="table" tabIndex={0} aria-label={say`Levels of ${titleOf(sweep.workload)}`}>
      <table>
        <thead>
          <tr>
            <th scope="col" class="number">{say`Requests in flight`}</th>
            <th scope="col" class="number">{say`Output tokens/s`}</th>
            <th scope="col" class="number">{say`Requests/s`}</th>
            <th scope="col" class="number">{say`Prompt tokens/s`}</th>
            <th scope="col" class="number">{say`First token, ms`}</th>
            <th scope="col" class="number">{say`Per token, ms`}</th>
            <th scope="col" class="number">{say`Median, ms`}</th>
            <th scope="col" class="number">{say`95 %, ms`}</th>
            <th scope="col" class="number">{say`Waiting at the server`}</th>
            <th scope="col" class="number">{say`KV cache`}</th>
          </tr>
        </thead>
        <tbody>
          {sweep.levels.map((level) => (
            <tr key={`${level.concurrency} ${level.repeat}`}>
              <th scope="row" class="number">
                {digits(level.concurrency)}
              </th>
              <td class="number">{short(level.outputTokensPerSecond)}</td>
              <td class="number">{short(level.requestsPerSecond)}</td>
              <td class="number">{short(level.promptTokensPerSecond)}</td>
              <td class="number">{milliseconds(level.firstTokenMs?.p50)}</td>
              <td class="number">{milliseconds(level.decodeMsPerToken?.p50)}</td>
              <td class="number">{milliseconds(level.latencyMs.p50)}</td>
              <td class="number">{milliseconds(level.latencyMs.p95)}</td>
              <td class="number">{level.server === null ? '–' : short(level.server.waiting)}</td>
              <td class="number">{level.server?.kvUsage == null ? '–' : percent(level.server.kvUsage)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function ListTable({ lists }: { readonly lists: readonly ListResult[] }) {
  return (
    <section class="table" tabIndex={0} aria-label={say`Lists of prompts`}>
      <table>
        <thead>
          <tr>
            <th scope="col" class="number">{say`Prompts per request`}</th>
            <th scope="col" class="number">{say`Requests in flight`}</th>
            <th scope="col" class="number">{say`Grades/s`}</th>
            <th scope="col" class="number">{say`Times single prompts`}</th>
          </tr>
        </thead>
        <tbody>
          {lists.map((list) => (
            <tr key={list.promptsPerRequest}>
              <th scope="row" class="number">
                {digits(list.promptsPerRequest)}
              </th>
              <td class="number">{digits(list.requestsInFlight)}</td>
              <td class="number">{short(list.gradesPerSecond)}</td>
              <td class="number">{list.timesSingle.toFixed(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function ComparisonTable({ comparisons }: { readonly comparisons: readonly Comparison[] }) {
  return (
    <section class="table" tabIndex={0} aria-label={say`Comparison`}>
      <table>
        <thead>
          <tr>
            <th scope="col">{say`Requests`}</th>
            <th scope="col" class="number">{say`Requests in flight`}</th>
            <th scope="col" class="number">{say`Before`}</th>
            <th scope="col" class="number">{say`Now`}</th>
            <th scope="col" class="number">{say`Ratio`}</th>
            <th scope="col">{say`Beyond the noise`}</th>
          </tr>
        </thead>
        <tbody>
          {comparisons.map(({ workload, concurrency, before, now, ratio, noiseRatio, differs }) => (
            <tr key={`${workload} ${concurrency}`}>
              <th scope="row">{titleOf(workload)}</th>
              <td class="number">{digits(concurrency)}</td>
              <td class="number">{short(before)}</td>
              <td class="number">{short(now)}</td>
              <td class="number">{ratio.toFixed(3)}</td>
              <td>
                {noiseRatio === null
                  ? say`unknown: no repeats`
                  : differs
                    ? ratio > 1
                      ? say`faster`
                      : say`slower`
                    : ''}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
