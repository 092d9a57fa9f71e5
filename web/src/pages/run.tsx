/** The page of `run --ui` and `ui DIR`: a run while it is in progress, or as it ended. */
import { useEffect, useState } from 'preact/hooks'
import type { ControlAction, LiveView, RunState, RunView, SeriesPoint } from '../../../lib/pages/view.js'
import { Empty, type Figure, Figures, Header, Section } from '../components/frame.js'
import { Funnel } from '../components/funnel.js'
import { Graph } from '../components/graph.js'
import { Distributions } from '../components/histograms.js'
import { Pairs, Rejects } from '../components/records.js'
import { Search } from '../components/search.js'
import { Servers } from '../components/servers.js'
import { Calls, Recipe, Sources } from '../components/tables.js'
import { bottleneckShares, rates, Throughput } from '../components/throughput.js'
import { Units } from '../components/units.js'
import { control, useLiveRun } from '../live.js'
import { bytesText, digits, durationText, percent, say, short, stageName } from '../say.js'
import { Notices, StateTag } from './report.js'

/** Pairs that are listed. */
const pairsMax = 12

const movingStates: readonly RunState['kind'][] = ['running', 'paused', 'draining', 'unknown']

export function RunPage() {
  const { view, live, points, connected, problem } = useLiveRun()
  const name = view?.name ?? 'kun-stream'
  useEffect(() => {
    document.title = say`${name} – run`
  }, [name])
  const state = live?.state ?? view?.state ?? null
  const moving = state !== null && movingStates.includes(state.kind)
  const units = live?.units ?? null
  // The workers of a run in units leave no figures of a call in its directory.
  const elsewhere = units !== null && points.length === 0
  const sections = [
    ...(units === null ? [] : [{ id: 'units', title: say`Units` }]),
    ...(elsewhere
      ? []
      : [
          { id: 'graph', title: say`Graph` },
          { id: 'throughput', title: say`Throughput` },
          { id: 'servers', title: say`Model servers` },
        ]),
    { id: 'funnel', title: say`Funnel` },
    { id: 'pairs', title: say`Pairs` },
    { id: 'rejects', title: say`Rejects` },
    { id: 'search', title: say`Search` },
    { id: 'rows', title: say`Rows` },
    { id: 'recipe', title: say`Recipe and versions` },
  ]
  return (
    <>
      <Header
        title={name}
        sections={sections}
        below={
          <>
            {state !== null && !(elsewhere && state.kind === 'new') && <StateTag state={state} />} {holderText(state)}
          </>
        }
      >
        <Controls actions={connected ? (live?.controls ?? []) : []} />
      </Header>
      <main>
        {(problem !== '' || (!connected && live !== null)) && (
          <p class="problem" role="status">
            {problem !== '' ? problem : connectionText(state)}
          </p>
        )}
        {!elsewhere && <LiveFigures live={live} points={points} moving={moving} />}
        {view !== null && <Notices view={view} />}
        {units !== null && (
          <Section
            id="units"
            title={say`Units`}
            note={say`By the plan and the results in the directory; the rate is by the clocks of the workers.`}
          >
            <Units units={units} />
          </Section>
        )}
        {!elsewhere && (
          <>
            <Section
              id="graph"
              title={say`Graph`}
              note={say`An edge is as wide as its rate, and red where the next stage holds it up.`}
            >
              <Graph points={points} moving={moving} />
            </Section>
            <Section id="throughput" title={say`Throughput`}>
              <Throughput points={points} />
            </Section>
            <Section id="servers" title={say`Model servers`}>
              <Servers points={points} />
            </Section>
          </>
        )}
        <Section id="funnel" title={say`Funnel`}>
          <Funnel stages={live?.stages ?? view?.stages ?? []} rows={live?.totals.rows ?? view?.totals.rows ?? 0} />
        </Section>
        {view === null ? <Empty>{say`Reading the run…`}</Empty> : <Committed view={view} live={live} />}
      </main>
    </>
  )
}

/** Sections of what is committed, which change at a commit only. */
function Committed({ view, live }: { readonly view: RunView; readonly live: LiveView | null }) {
  const waiting = live?.latestAll ?? 0
  return (
    <>
      <Section
        id="pairs"
        title={say`Pairs`}
        note={
          waiting > 0
            ? say`${digits(waiting)} pairs are finished and not committed yet; below them the latest rows.`
            : say`The latest rows, the splits in turn.`
        }
      >
        <Pairs pairs={[...(live?.latest ?? []), ...view.pairs].slice(0, pairsMax)} />
      </Section>
      <Section id="rejects" title={say`Rejects`} note={say`By stage and reason, with the latest examples.`}>
        <Rejects rejects={view.rejects} meanings={view.meanings} />
      </Section>
      <Section id="search" title={say`Search`}>
        <Search view={view} />
      </Section>
      <Section id="rows" title={say`Rows`}>
        <Distributions view={view} />
        <div class="sources">
          <Sources sources={view.sources} estimated={view.sourcesAreEstimated} />
        </div>
      </Section>
      <Section id="recipe" title={say`Recipe and versions`}>
        <Calls calls={view.calls.slice(-8)} />
        <Recipe view={view} />
      </Section>
    </>
  )
}

interface LiveFiguresOptions {
  readonly live: LiveView | null
  readonly points: readonly SeriesPoint[]
  readonly moving: boolean
}

function LiveFigures({ live, points, moving }: LiveFiguresOptions) {
  const last = points.at(-1)
  const recent = points.slice(-6)
  const first = recent[0]
  const perSecond = (of: (point: SeriesPoint) => number): number =>
    last === undefined || first === undefined || !moving
      ? last === undefined
        ? 0
        : of(last) / Math.max(0.001, last.seconds)
      : (rates([first, last], of)[0] ?? 0)
  // Once a run stands still, its last moment says little: that of most of the call.
  const bottleneck = moving ? last?.bottleneck : (bottleneckShares(points)[0]?.[0] ?? last?.bottleneck)
  const secondsLeft = live?.estimate?.secondsLeft ?? null
  const figures: Figure[] = [
    { name: say`Rows`, value: digits(live?.totals.rows ?? 0), note: say`${digits(live?.totals.cuts ?? 0)} cuts` },
    { name: say`Candidates`, value: digits(live?.totals.candidates ?? 0) },
    { name: say`Rejects`, value: digits(live?.totals.rejects ?? 0), note: rejectShare(live) },
    { name: say`Tokens/s`, value: short(perSecond(({ tokens }) => tokens)) },
    { name: say`Bottleneck`, value: bottleneck === undefined ? '–' : stageName(bottleneck) },
    { name: say`Memory`, value: last === undefined ? '–' : bytesText(last.memoryBytes) },
    ...(secondsLeft === null ? [] : [{ name: say`Time left`, value: durationText(secondsLeft), note: doneText(live) }]),
    { name: say`Time of this call`, value: last === undefined ? '–' : durationText(last.seconds) },
  ]
  return <Figures figures={figures} />
}

function doneText(live: LiveView | null): string {
  const share = live?.estimate?.doneShare ?? null
  return share === null ? '' : say`${percent(share)} done`
}

function rejectShare(live: LiveView | null): string {
  const { rows = 0, rejects = 0 } = live?.totals ?? {}
  return rows + rejects === 0 ? '' : say`${percent(rejects / (rows + rejects))} of all records`
}

function Controls({ actions }: { readonly actions: readonly ControlAction[] }) {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const names: Readonly<Record<ControlAction, string>> = {
    pause: say`Pause`,
    resume: say`Resume`,
    drain: say`Stop after the requests in flight`,
  }
  const act = (action: ControlAction): void => {
    if (action === 'drain' && !confirm(say`Stop this run? It can be resumed by running it again.`)) return
    setBusy(true)
    control(action)
      .then(
        () => setProblem(''),
        (error: Error) => setProblem(error.message),
      )
      .finally(() => setBusy(false))
  }
  return (
    <div class="controls">
      {actions.map((action) => (
        <button type="button" key={action} disabled={busy} onClick={() => act(action)}>
          {names[action]}
        </button>
      ))}
      {problem !== '' && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  )
}

function holderText(state: RunState | null): string {
  const holder = state?.holder ?? null
  return holder === null ? '' : say`process ${holder.pid} on ${holder.host}`
}

function connectionText(state: RunState | null): string {
  return state !== null && movingStates.includes(state.kind)
    ? say`The connection to the server of this page is lost; it is being restored.`
    : say`The process has ended. report.html in the run directory has the figures, and kun-stream ui shows this page again.`
}
