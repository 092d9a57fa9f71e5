/** report.html: a run at the time when the file was written. */
import { useEffect } from 'preact/hooks'
import type { RunState, RunView } from '../../../lib/pages/view.js'
import { Figures, Header, Section } from '../components/frame.js'
import { Funnel } from '../components/funnel.js'
import { Distributions } from '../components/histograms.js'
import { Pairs, Rejects } from '../components/records.js'
import { Calls, dateText, Recipe, Sources, yieldText } from '../components/tables.js'
import { Throughput } from '../components/throughput.js'
import { digits, durationText, say, short, stageName } from '../say.js'

export function ReportPage({ view }: { readonly view: RunView }) {
  useEffect(() => {
    document.title = say`${view.name} – report`
  }, [view])
  const points = view.series.findLast(({ points: own }) => own.length > 0)?.points ?? []
  const sections = [
    { id: 'funnel', title: say`Funnel` },
    { id: 'throughput', title: say`Throughput` },
    { id: 'rows', title: say`Rows` },
    { id: 'sources', title: say`Sources` },
    { id: 'rejects', title: say`Rejects` },
    { id: 'pairs', title: say`Pairs` },
    { id: 'recipe', title: say`Recipe and versions` },
  ]
  return (
    <>
      <Header
        title={view.name}
        sections={sections}
        below={
          <>
            <StateTag state={view.state} /> {say`Report of ${dateText(view.madeAt)}, kun-stream ${view.version}`}
          </>
        }
      />
      <main>
        <RunFigures view={view} />
        <Notices view={view} />
        <Section id="funnel" title={say`Funnel`}>
          <Funnel stages={view.stages} rows={view.totals.rows} />
        </Section>
        <Section id="throughput" title={say`Throughput`} note={throughputNote(view)}>
          <Throughput points={points} />
          <Calls calls={view.calls.slice(-8)} />
        </Section>
        <Section
          id="rows"
          title={say`Rows`}
          note={say`What the committed rows are like. Grades of rejects are those of the latest ones.`}
        >
          <Distributions view={view} />
        </Section>
        <Section id="sources" title={say`Sources`}>
          <Sources sources={view.sources} estimated={view.sourcesAreEstimated} />
        </Section>
        <Section id="rejects" title={say`Rejects`} note={say`By stage and reason, with the latest examples.`}>
          <Rejects rejects={view.rejects} meanings={view.meanings} />
        </Section>
        <Section id="pairs" title={say`Pairs`} note={say`The latest rows, the splits in turn.`}>
          <Pairs pairs={view.pairs} />
        </Section>
        <Section id="recipe" title={say`Recipe and versions`}>
          <Recipe view={view} />
        </Section>
      </main>
    </>
  )
}

export function RunFigures({ view }: { readonly view: RunView }) {
  const { totals, calls } = view
  const seconds = calls.reduce((sum, call) => sum + call.seconds, 0)
  const last = calls.at(-1)
  return (
    <Figures
      figures={[
        { name: say`Rows`, value: digits(totals.rows) },
        { name: say`Documents`, value: digits(totals.documents) },
        { name: say`Candidates`, value: digits(totals.candidates) },
        { name: say`Rows per candidate`, value: yieldText(view) },
        { name: say`Rejects`, value: digits(totals.rejects) },
        { name: say`Tokens/s`, value: last === undefined ? '–' : short(last.tokensPerSecond) },
        { name: say`Time`, value: durationText(seconds) },
      ]}
    />
  )
}

export function Notices({ view }: { readonly view: RunView }) {
  const notices = [
    ...(view.extractive
      ? [
          say`The built-in extractive writer made these rows from key phrases and templates. They are not training data.`,
        ]
      : []),
    ...view.faults,
  ]
  if (notices.length === 0) return null
  return (
    <ul class="notices">
      {notices.map((notice) => (
        <li key={notice}>{notice}</li>
      ))}
    </ul>
  )
}

export function StateTag({ state }: { readonly state: RunState }) {
  const names: Readonly<Record<RunState['kind'], string>> = {
    running: say`running`,
    paused: say`paused`,
    draining: say`draining`,
    unknown: say`running elsewhere, or killed`,
    ended: say`complete`,
    limit: say`limits.rowsMax is reached`,
    stopped: say`stopped: ${state.code}`,
    killed: say`killed; run it again to resume`,
    new: say`not started`,
  }
  return <span class={`tag state-${state.kind}`}>{names[state.kind]}</span>
}

function throughputNote(view: RunView): string {
  const last = view.calls.at(-1)
  if (last === undefined) return say`No call of run has left its figures.`
  return say`Latest call: ${short(last.tokensPerSecond)} tokens/s on average, bottleneck: ${stageName(last.bottleneck)}.`
}
