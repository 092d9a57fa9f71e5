/** Choices of the reader, kept in the browser where it allows that: the theme and the language. */
import type { Language } from './say.js'

export type Theme = 'auto' | 'light' | 'dark'

export function storedTheme(): Theme {
  const found = stored('theme')
  return found === 'light' || found === 'dark' ? found : 'auto'
}

export function applyTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

/** Whether dark colours are shown. */
export function isDark(theme: Theme): boolean {
  return theme === 'dark' || (theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches)
}

/** The reader's choice, then the language of the page, then that of the browser. */
export function firstLanguage(ofPage: Language | null): Language {
  const found = stored('language')
  if (found === 'en' || found === 'zh') return found
  return ofPage ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en')
}

export function keep(name: 'theme' | 'language', value: string): void {
  try {
    localStorage.setItem(`kun-stream.${name}`, value)
  } catch (error) {
    // A file on disk, or a browser that keeps nothing: the choice lasts as long as the page.
    if (!(error instanceof DOMException)) throw error
  }
}

function stored(name: string): string | null {
  try {
    return localStorage.getItem(`kun-stream.${name}`)
  } catch (error) {
    if (error instanceof DOMException) return null
    throw error
  }
}
