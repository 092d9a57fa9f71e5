/** The connection of a page to its server: the view, events once a second, and the points of the current call. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { ControlAction, LiveView, RunView, SearchQuery, SearchResult, SeriesPoint } from '../../lib/pages/view.js'
import { say } from './say.js'

/** Points that a page keeps; every second older one is dropped above. */
const pointsMax = 600

export interface LiveRun {
  /** Null until the first answer. */
  readonly view: RunView | null
  readonly live: LiveView | null
  readonly points: readonly SeriesPoint[]
  readonly connected: boolean
  /** Error of the server; ''. */
  readonly problem: string
}

export function useLiveRun(): LiveRun {
  const [view, setView] = useState<RunView | null>(null)
  const [live, setLive] = useState<LiveView | null>(null)
  const [points, setPoints] = useState<readonly SeriesPoint[]>([])
  const [connected, setConnected] = useState(true)
  const [problem, setProblem] = useState('')
  const revision = useRef('')
  const startedAt = useRef('')

  useEffect(() => {
    const load = (): void => {
      requested<RunView>('view').then(
        (next) => {
          setView(next)
          setProblem('')
          const series = next.series.at(-1)
          startedAt.current ||= series?.startedAt ?? ''
          setPoints((own) => merged(series?.startedAt === startedAt.current ? (series?.points ?? []) : [], own))
        },
        (error: Error) => setProblem(error.message),
      )
    }
    const events = new EventSource('events')
    events.onopen = () => setConnected(true)
    events.onerror = () => setConnected(false)
    events.onmessage = ({ data }) => {
      const event = JSON.parse(data) as LiveView | { readonly error: string } | null
      if (event === null) return
      if ('error' in event) {
        setProblem(event.error)
        return
      }
      setLive(event)
      if (event.startedAt !== startedAt.current) {
        startedAt.current = event.startedAt
        setPoints([])
      }
      const { point } = event
      if (point !== null) setPoints((own) => merged(own, [point]))
      if (event.revision === revision.current) return
      revision.current = event.revision
      load()
    }
    load()
    return () => events.close()
  }, [])
  return { view, live, points, connected, problem }
}

/** Joins points by time; of two at the same time the later one is kept. */
function merged(first: readonly SeriesPoint[], second: readonly SeriesPoint[]): readonly SeriesPoint[] {
  const all = [...new Map([...first, ...second].map((point) => [point.seconds, point])).values()]
  all.sort((a, b) => a.seconds - b.seconds)
  return all.length <= pointsMax ? all : all.filter((_, at) => at % 2 === 0 || at > pointsMax / 2)
}

export async function control(action: ControlAction): Promise<void> {
  await posted('control', { action })
}

export function posted<Value>(path: string, body: unknown): Promise<Value> {
  return requested(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

export function search(query: SearchQuery): Promise<SearchResult> {
  const values = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)])
  return requested(`search?${new URLSearchParams(values)}`)
}

/** Requests JSON from the server of the page. */
export async function requested<Value>(path: string, init?: RequestInit): Promise<Value> {
  const response = await fetch(path, init).catch(() => {
    throw new Error(say`The server of this page does not respond.`)
  })
  const body = (await response.json()) as Value | { readonly error: string }
  if (!response.ok) throw new Error((body as { readonly error: string }).error)
  return body as Value
}
