/** The section of a dataset card that says what the rows are like, from the figures that the run counted. */

import { distinctOf, type RowFigures } from '../kun/row-figures.js'
import { grouped } from '../language/grouped.js'
import type { Words } from '../language/words.js'
import { code, inline } from './markdown.js'

/** Returns the section in Markdown; '' if no row was counted. All splits together. */
export function figuresSection(words: Words, bySplit: readonly RowFigures[]): string {
  const sections = [
    lengthTable(words, bySplit),
    gradeTable(words, bySplit),
    typeTable(words, bySplit),
    ...wordLines(words, bySplit),
    variety(words, bySplit),
  ]
  return sections.filter((section) => section !== '').join('\n\n')
}

/** Adds lists bin by bin. */
function summed(lists: readonly (readonly number[] | undefined)[]): number[] {
  const sums: number[] = []
  for (const list of lists) {
    for (const [bin, value] of (list ?? []).entries()) sums[bin] = (sums[bin] ?? 0) + value
  }
  return sums
}

function namesIn(records: readonly Readonly<Record<string, unknown>>[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))].sort((a, b) => (a < b ? -1 : 1))
}

function gradeTable({ say }: Words, bySplit: readonly RowFigures[]): string {
  const names = namesIn(bySplit.map(({ grades }) => grades))
  if (names.length === 0) return ''
  const tenths = Array.from({ length: 10 }, (_, tenth) => `.${tenth}`).join(' | ')
  const head = say`| column | ${tenths} |`
  const rows = names.map((name) => {
    const bins = summed(bySplit.map(({ grades }) => grades[name]))
    return `| ${code(name)} | ${bins.map(grouped).join(' | ')} |`
  })
  const title = say`Rows by grade, in tenths from the value at the head of the column:`
  return `${title}\n\n${head}\n|---|${'---:|'.repeat(10)}\n${rows.join('\n')}`
}

/** Shares of the rows that are at most as long as the middle, and as 90 and 99 of 100, by the bins' upper ends. */
function lengthTable({ say }: Words, bySplit: readonly RowFigures[]): string {
  const rows = ['instruction', 'output', 'raw'].flatMap((name) => {
    const bins = summed(bySplit.map(({ lengths }) => lengths[name]))
    if (bins.every((value) => value === 0)) return []
    return [`| ${code(name)} | ${[0.5, 0.9, 0.99].map((share) => `< ${grouped(upperEnd(bins, share))}`).join(' | ')} |`]
  })
  return rows.length === 0
    ? ''
    : `${say`| characters | of half the rows | of 90 % | of 99 % |`}\n|---|---:|---:|---:|\n${rows.join('\n')}`
}

function upperEnd(bins: readonly number[], share: number): number {
  const all = bins.reduce((sum, value) => sum + value, 0)
  let seen = 0
  const bin = bins.findIndex((value) => {
    seen += value
    return seen >= share * all
  })
  return 2 ** (bin + 1)
}

function typeTable({ say }: Words, bySplit: readonly RowFigures[]): string {
  const counts = namesIn(bySplit.map(({ instructionTypes }) => instructionTypes))
    .map((name) => [name, sumOf(bySplit.map(({ instructionTypes }) => instructionTypes[name] ?? 0))] as const)
    .sort(([, a], [, b]) => b - a)
  const all = sumOf(counts.map(([, count]) => count))
  if (all === 0) return ''
  const rows = counts.map(([name, count]) => `| ${code(name)} | ${grouped(count)} | ${percentText(count / all)} |`)
  const title = say`Instructions by what they ask for, by their words:`
  return `${title}\n\n${say`| type | rows | share |`}\n|---|---:|---:|\n${rows.join('\n')}`
}

function wordLines({ say }: Words, bySplit: readonly RowFigures[]): string[] {
  return namesIn(bySplit.map(({ words }) => words)).map((column) => {
    const own = bySplit.map(({ words }) => words[column] ?? {})
    const counts = namesIn(own).map((word) => `${inline(word)} ${grouped(sumOf(own.map((words) => words[word] ?? 0)))}`)
    return say`${code(column)}: ${counts.join(', ')}`
  })
}

/** Distinct n-grams over all; the sketches of splits are joined by their larger registers. */
function variety({ say }: Words, bySplit: readonly RowFigures[]): string {
  const parts = (['bigrams', 'trigrams'] as const).map((name) => {
    const all = sumOf(bySplit.map((figures) => figures[name].all))
    const sketch = joined(bySplit.map((figures) => figures[name].sketch))
    return all === 0
      ? ''
      : `distinct-${name === 'bigrams' ? 2 : 3} ${(Math.min(all, distinctOf(sketch)) / all).toFixed(3)}`
  })
  const shown = parts.filter((part) => part !== '')
  return shown.length === 0
    ? ''
    : say`Variety of the instructions (distinct character n-grams of all; estimated, ± 3 %): ${shown.join(', ')}.`
}

function joined(sketches: readonly string[]): string {
  return sketches.reduce((all, sketch) =>
    Array.from(all, (digit, index) => {
      const other = sketch[index] ?? '0'
      return Number.parseInt(digit, 36) >= Number.parseInt(other, 36) ? digit : other
    }).join(''),
  )
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

function percentText(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
