/** Header, sections and small parts that all pages share. */
import type { ComponentChildren } from 'preact'
import { useFrame } from '../app.js'
import { say } from '../say.js'
import type { Theme } from '../settings.js'

export interface SectionLink {
  readonly id: string
  readonly title: string
}

interface HeaderOptions {
  readonly title: string
  readonly below: ComponentChildren
  readonly sections: readonly SectionLink[]
  readonly children?: ComponentChildren
}

export function Header({ title, below, sections, children }: HeaderOptions) {
  return (
    <>
      <header class="head">
        <div class="head-title">
          <h1>{title}</h1>
          <div class="head-below">{below}</div>
        </div>
        {children}
        <div class="switches">
          <LanguageSwitch />
          <ThemeSwitch />
        </div>
      </header>
      <nav class="sections" aria-label={say`Sections`}>
        {sections.map(({ id, title: name }) => (
          <a href={`#${id}`} key={id}>
            {name}
          </a>
        ))}
      </nav>
    </>
  )
}

function LanguageSwitch() {
  const { language, setLanguage } = useFrame()
  return (
    <fieldset class="switch" aria-label={say`Language`}>
      <button type="button" aria-pressed={language === 'zh'} lang="zh-CN" onClick={() => setLanguage('zh')}>
        中文
      </button>
      <button type="button" aria-pressed={language === 'en'} lang="en" onClick={() => setLanguage('en')}>
        EN
      </button>
    </fieldset>
  )
}

function ThemeSwitch() {
  const { theme, setTheme } = useFrame()
  const names: readonly [Theme, string][] = [
    ['auto', say`Auto`],
    ['light', say`Light`],
    ['dark', say`Dark`],
  ]
  return (
    <fieldset class="switch" aria-label={say`Theme`}>
      {names.map(([value, name]) => (
        <button type="button" key={value} aria-pressed={theme === value} onClick={() => setTheme(value)}>
          {name}
        </button>
      ))}
    </fieldset>
  )
}

interface SectionOptions {
  readonly id: string
  readonly title: string
  readonly note?: ComponentChildren
  readonly children: ComponentChildren
}

export function Section({ id, title, note, children }: SectionOptions) {
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {note !== undefined && <p class="note">{note}</p>}
      {children}
    </section>
  )
}

export interface Figure {
  readonly name: string
  readonly value: string
  readonly note?: string
}

export function Figures({ figures }: { readonly figures: readonly Figure[] }) {
  return (
    <dl class="figures">
      {figures.map(({ name, value, note }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            {note !== undefined && <small>{note}</small>}
          </dd>
        </div>
      ))}
    </dl>
  )
}

interface BarsOptions {
  readonly rows: readonly { readonly name: string; readonly value: number; readonly text: string }[]
}

/** A list with a bar behind each value. */
export function Bars({ rows }: BarsOptions) {
  const most = Math.max(1, ...rows.map(({ value }) => value))
  return (
    <ul class="bars">
      {rows.map(({ name, value, text }) => (
        <li key={name}>
          <span class="bars-name">{name}</span>
          <span class="bars-track" aria-hidden="true">
            <i style={{ width: `${Math.max(0.5, (100 * value) / most)}%` }} />
          </span>
          <span class="bars-value">{text}</span>
        </li>
      ))}
    </ul>
  )
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>
}
