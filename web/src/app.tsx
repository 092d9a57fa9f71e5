/** The frame of every page: theme, language, and which page is shown. */
import type { ComponentChildren } from 'preact'
import { createContext } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'
import type { PageData } from '../../lib/pages/view.js'
import { BenchPage } from './pages/bench.js'
import { ReportPage } from './pages/report.js'
import { ReviewPage } from './pages/review.js'
import { RunPage } from './pages/run.js'
import { type Language, say, setLanguage } from './say.js'
import { applyTheme, firstLanguage, isDark, keep, storedTheme, type Theme } from './settings.js'

interface Frame {
  readonly theme: Theme
  readonly dark: boolean
  readonly language: Language
  setTheme(theme: Theme): void
  setLanguage(language: Language): void
}

const FrameContext = createContext<Frame | null>(null)

export function useFrame(): Frame {
  const frame = useContext(FrameContext)
  if (frame === null) throw new Error('outside of App')
  return frame
}

export function App({ data }: { readonly data: PageData }) {
  const [theme, setTheme] = useState(storedTheme)
  const [language, chooseLanguage] = useState(() => firstLanguage(data.language))
  const [systemDark, setSystemDark] = useState(() => isDark('auto'))
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)')
    const changed = () => setSystemDark(query.matches)
    query.addEventListener('change', changed)
    return () => query.removeEventListener('change', changed)
  }, [])
  setLanguage(language)
  applyTheme(theme)
  const frame: Frame = {
    theme,
    dark: theme === 'auto' ? systemDark : theme === 'dark',
    language,
    setTheme: (next) => {
      keep('theme', next)
      setTheme(next)
    },
    setLanguage: (next) => {
      keep('language', next)
      chooseLanguage(next)
    },
  }
  return (
    <FrameContext.Provider value={frame}>
      <Page key={language} data={data} />
    </FrameContext.Provider>
  )
}

function Page({ data }: { readonly data: PageData }): ComponentChildren {
  if (data.page === 'report' && data.view !== null) return <ReportPage view={data.view} />
  if (data.page === 'run') return <RunPage />
  if (data.page === 'bench' && data.bench !== undefined) return <BenchPage view={data.bench} />
  if (data.page === 'review') return <ReviewPage />
  return <p class="empty">{say`This page has no data.`}</p>
}
