/**
 * Compiles the globs of a source: the directory where each search starts, and a matcher for the paths below it. Pure.
 */
import { dirname, resolve, sep } from 'node:path'
import picomatch from 'picomatch'
import { isDynamicPattern } from 'tinyglobby'

export interface Glob {
  /** As in the recipe, without the leading '!'. */
  readonly pattern: string
  /** Absolute path of the directory before the first wildcard; of the file's directory if there is none. */
  readonly base: string
  /** The file name if the pattern has no wildcard; else null. */
  readonly literal: string | null
  /** @param path relative to `base`, with '/' */
  matches(path: string): boolean
  /** Whether something below the directory may match; a false positive only costs time. @param path as in `matches` */
  mayMatchBelow(path: string): boolean
}

/** @param root directory of relative patterns */
export function compileGlob(pattern: string, root: string): Glob {
  const parts = pattern.split('/')
  const wild = parts.findIndex((part) => isDynamicPattern(part))
  if (wild === -1) {
    const path = resolve(root, unescaped(pattern))
    const literal = path.slice(dirname(path).length).replace(/^[/\\]/, '')
    return { pattern, base: dirname(path), literal, matches: (each) => each === literal, mayMatchBelow: () => false }
  }
  const before = parts.slice(0, wild).join('/') || (pattern.startsWith('/') ? '/' : '.')
  const rest = parts.slice(wild).filter((part, index) => part !== '' || index === parts.length - wild - 1)
  const isMatch = picomatch(rest.join('/'), { posix: true })
  return {
    pattern,
    base: resolve(root, unescaped(before)),
    literal: null,
    matches: (path) => isMatch(path),
    mayMatchBelow: below(rest),
  }
}

function below(rest: readonly string[]): Glob['mayMatchBelow'] {
  const deep = rest.some((part) => part.includes('**'))
  // A '/' inside braces or a group makes the parts of the split differ from the path segments.
  const simple = !rest.some((part) => /[{}()]/.test(part))
  const dots = rest.some((part) => /(^|[{(,|])\.[^/]/.test(part))
  const steps = rest.map((part) => picomatch(part, { posix: true }))
  const deepFrom = rest.findIndex((part) => part.includes('**'))
  return (path) => {
    const names = path.split('/')
    if (!deep && names.length >= rest.length) return false
    if (!dots && names.some((name) => name.startsWith('.'))) return false
    const checked = simple ? names.slice(0, deepFrom === -1 ? names.length : deepFrom) : []
    return checked.every((name, step) => steps[step]?.(name) ?? true)
  }
}

/** The patterns of a source. */
export interface Patterns {
  readonly included: readonly Glob[]
  readonly excluded: readonly Glob[]
}

/** Compiles patterns, of which a leading '!' excludes files or directories. @param root directory of relative ones */
export function compilePatterns(patterns: readonly string[], root: string): Patterns {
  const compiled = (isExcluded: boolean) =>
    patterns
      .filter((each) => each.startsWith('!') === isExcluded)
      .map((each) => compileGlob(each.replace(/^!/, ''), root))
  return { included: compiled(false), excluded: compiled(true) }
}

/** Whether the patterns select a file. @param path absolute, as shown */
export function isSelected(path: string, { included, excluded }: Patterns): boolean {
  return isMatchedBy(path, included) && !isMatchedBy(path, excluded)
}

/** Whether one of the patterns matches the file or directory. @param path absolute, as shown */
export function isMatchedBy(path: string, globs: readonly Glob[]): boolean {
  return globs.some(({ base, matches }) => {
    const start = base.endsWith(sep) ? base : base + sep
    return path.startsWith(start) && matches(path.slice(start.length).split(sep).join('/'))
  })
}

/** Removes the backslash that makes a wildcard a character of the name. */
function unescaped(pattern: string): string {
  return sep === '\\' ? pattern : pattern.replace(/\\([()[\]{}!*?@+|$^])/g, '$1')
}
