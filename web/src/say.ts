/**
 * Texts of the pages in both languages, with the keys of lib/language: the English template. The language is chosen once
 * for the whole page; `App` renders everything anew when it changes.
 */
import { benchPage } from '../../lib/language/zh/bench-page.js'
import { nouns as chineseNouns } from '../../lib/language/zh/nouns.js'
import { pages } from '../../lib/language/zh/pages.js'

export type Language = 'en' | 'zh'

const chinese: Readonly<Record<string, string>> = { ...chineseNouns, ...pages, ...benchPage }
let current: Language = 'en'

export function language(): Language {
  return current
}

export function setLanguage(next: Language): void {
  current = next
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
}

/** Tag of a template literal: one template holds a whole sentence. */
export function say(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  const filled = (text: string): string => text.replace(/\{(\d+)\}/g, (_, at) => String(values[Number(at)]))
  const key = parts.reduce((text, part, at) => `${text}{${at - 1}}${part}`)
  const translation = current === 'zh' ? chinese[key] : undefined
  return filled(translation ?? key)
}

/** Returns the translation of a text that is a key as it is. */
export function translated(text: string): string {
  return (current === 'zh' ? chinese[text] : undefined) ?? text
}

/** Names of stages; one that the recipe declares keeps its name. */
export function stageName(name: string): string {
  const known: Readonly<Record<string, () => string>> = {
    read: () => say`Read`,
    prepare: () => say`Prepare`,
    decode: () => say`Decode`,
    clean: () => say`Clean`,
    filter: () => say`Filter`,
    chunk: () => say`Chunk`,
    documents: () => say`Documents`,
    chunks: () => say`Chunks`,
    dedup: () => say`Deduplicate`,
    screen: () => say`Screen`,
    label: () => say`Label`,
    score: () => say`Score`,
    polish: () => say`Polish`,
    pair: () => say`Judge pairs`,
    'dedup-instructions': () => say`Deduplicate instructions`,
    write: () => say`Write`,
    servers: () => say`Model servers`,
  }
  return (Object.hasOwn(known, name) ? known[name]?.() : undefined) ?? name
}

/** 12,345 */
export function digits(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** Three significant digits: 950, 1.2k, 34.5M. */
export function short(value: number): string {
  const units = [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const
  for (const [size, unit] of units) {
    if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))}${unit}`
  }
  return String(Number(value.toPrecision(3)))
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`
}

export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`
}

/** 42 s, 3 min 05 s, 2 h 10 min */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return say`${whole} s`
  if (whole < 3600) return say`${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
  return say`${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`
}
