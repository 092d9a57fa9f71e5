/** Formats rows of a run, a folder or a file for `inspect`. */

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { glob } from 'tinyglobby'
import { UsageError } from '../../errors.js'
import { say } from '../../language/say.js'
import { openPart } from '../../parquet/part-reader.js'
import { readManifest } from '../../sinks/index.js'
import { countText } from './bytes-text.js'
import { pc } from './colors.js'
import { cannotOpen } from './output.js'
import { textWidth } from './text-width.js'
import { printable, truncateText, wrapText } from './wrap-text.js'

export interface InspectOptions {
  readonly number: number
  readonly json?: boolean
  readonly rejects?: boolean
  readonly full?: boolean
  /** Shows the last rows of the dataset in place of the first ones of each split, without a summary. */
  readonly last?: boolean
  /** Whether a run without rows is not an error: something else is shown. */
  readonly mayBeEmpty?: boolean
}

/** Yields the output in parts, the rows of each split first and then its summary. @param columns width in cells */
export async function* inspectText(
  path: string,
  { number, json = false, rejects = false, full = false, last = false, mayBeEmpty = false }: InspectOptions,
  columns: number,
): AsyncGenerator<string> {
  const groups = await partsOf(path, rejects)
  if (last) {
    yield* lastRows(groups, { number, json, rejects, full }, columns)
    return
  }
  if (groups.size === 0 && !mayBeEmpty)
    throw new UsageError(
      rejects ? say`${path} contains no rejects in Parquet` : say`${path} contains no rows in Parquet`,
    )
  for (const [split, paths] of groups) {
    let [shown, rows] = [0, 0]
    for (const file of paths) {
      const part = await openPart(file)
      try {
        rows += part.rows
        const take = Math.min(number - shown, part.rows)
        for (const row of take > 0 ? await part.read(0, take) : []) {
          shown++
          if (json) yield JSON.stringify(row, withPlainIntegers)
          else yield rejects ? rejectText(row, columns) : rowText(row, say`${split} · row ${shown}`, columns, full)
        }
      } finally {
        await part.close()
      }
    }
    const all = countText(rows, rejects ? 'reject' : 'row')
    if (!json) yield pc.dim(say`${split}: ${shown} of ${all} shown, ${countText(paths.length, 'file')}`)
  }
}

/** Yields the last rows: of the cut that was committed last, then of those before it. */
async function* lastRows(
  groups: ReadonlyMap<string, readonly string[]>,
  { number, json, rejects, full }: InspectOptions,
  columns: number,
): AsyncGenerator<string> {
  const files = [...groups].flatMap(([split, paths]) => paths.map((file) => ({ split, file })))
  // The name of a part has the number of its cut and of the part.
  const order = ({ file }: { readonly file: string }): string => /\d{6}-\d{3}\.parquet$/.exec(file)?.[0] ?? file
  files.sort((a, b) => (order(a) < order(b) ? 1 : order(a) > order(b) ? -1 : 0))
  const shown: string[] = []
  for (const { split, file } of files) {
    if (shown.length >= number) break
    const part = await openPart(file)
    try {
      const take = Math.min(number - shown.length, part.rows)
      const rows = await part.read(part.rows - take, part.rows)
      const texts = rows.map((row) => {
        if (json) return JSON.stringify({ committed: true, ...row }, withPlainIntegers)
        return rejects ? rejectText(row, columns) : rowText(row, split, columns, full ?? false)
      })
      shown.unshift(...texts)
    } finally {
      await part.close()
    }
  }
  yield* shown
}

/** Returns the Parquet files at a path by split; of a run directory, only committed files. */
async function partsOf(path: string, rejects: boolean): Promise<Map<string, string[]>> {
  const groups = new Map<string, string[]>()
  const add = (split: string, file: string): void => void groups.set(split, [...(groups.get(split) ?? []), file])
  const stats = await stat(path).catch((cause) => {
    throw cannotOpen(path, cause)
  })
  if (stats.isFile()) {
    add(path, path)
    return groups
  }
  const entries = await readManifest(path)
  for (const { files } of entries) {
    for (const { path: part, split } of files) {
      if ((split === null) === rejects) add(split ?? 'rejects', join(path, part))
    }
  }
  if (entries.length > 0) return groups
  for (const part of (await glob('**/*.parquet', { cwd: path, expandDirectories: false })).sort()) {
    if (part.split('/').includes('rejects') === rejects) {
      add(rejects ? 'rejects' : part.replace(/^data\//, '').replace(/-\d.*$/, ''), join(path, part))
    }
  }
  return groups
}

/** Lines shown of a text without --full. */
const textLinesMax = 8
/** Texts up to this width are joined on one line with the other short values. */
const shortCells = 24

/** Formats a row: long texts on lines of their own, short values together. */
export function rowText(row: Readonly<Record<string, unknown>>, title: string, columns: number, full: boolean): string {
  const head = `── ${title} `
  const lines = [pc.bold(head + '─'.repeat(Math.max(0, columns - textWidth(head))))]
  const short: string[] = []
  for (const [name, value] of Object.entries(row)) {
    if (value === null || value === '') continue
    if (Array.isArray(value)) {
      for (const { role, content } of value as { role: string; content: string }[]) {
        lines.push(...field(role, content, columns, full))
      }
    } else if (typeof value === 'string' && (textWidth(value) > shortCells || longColumns.has(name))) {
      lines.push(...field(name, value, columns, full))
    } else short.push(`${name} ${shortValue(value)}`)
  }
  lines.push(...wrapText(short.join(' · '), columns).map((line) => pc.dim(line)))
  return lines.filter((line) => line !== '').join('\n')
}

/** Columns that are shown on lines of their own even if they are short. */
const longColumns = new Set(['instruction', 'output'])
const labelCells = 16

function field(name: string, value: string, columns: number, full: boolean): string[] {
  const lines = wrapText(printable(value), columns - labelCells)
  const shown = full ? lines : lines.slice(0, textLinesMax)
  if (shown.length < lines.length) shown.push(`… ${countText(lines.length - shown.length, 'more line')}`)
  return shown.map((line, i) => {
    const label = i === 0 ? truncateText(name, labelCells - 1) : ''
    return pc.cyan(label) + ' '.repeat(labelCells - textWidth(label)) + line
  })
}

/** Formats a reject with the place of its record. */
export function rejectText(row: Readonly<Record<string, unknown>>, columns: number): string {
  const [split, shard, offset, stage, reason, detail, excerpt] = rejectFields.map((name) => shortValue(row[name] ?? ''))
  const head = `${pc.bold(`${stage}/${reason}`)}  ${split} ${shard}@${offset}`
  const details = [detail, excerpt].filter((text) => text !== '').map((text) => truncateText(`  ${text}`, columns))
  return [head, ...details.map((line) => pc.dim(line))].join('\n')
}

const rejectFields = ['split', 'shard', 'offset', 'stage', 'reason', 'detail', 'excerpt']

function shortValue(value: unknown): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(4)))
  return printable(String(value)).replaceAll('\n', ' ')
}

/** Replacer for JSON.stringify: a bigint as a number; beyond ±2^53 as a string, because JSON parsers would round it. */
function withPlainIntegers(_: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
}
