/** Reads the items of benchmarks from CSV, TSV, JSON Lines, JSON and Parquet files on disk. */

import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { parse } from 'csv-parse/sync'
import { errorMessage } from '../../caught-error.js'
import { tryParseJson } from '../../core/json.js'
import { isRecord } from '../../core/objects.js'
import { RecipeError } from '../../errors.js'
import { listText } from '../../language/list-text.js'
import { say, translated } from '../../language/say.js'
import { openPart, rowsOf } from '../../parquet/part-reader.js'
import type { TestItem } from '../../text/contamination.js'
import { comparisonForm } from '../../text/signature.js'

/** Bytes of a file of items. Benchmarks have a few MB; the file is read as a whole. */
const fileBytesMax = 256 * 1024 * 1024

/** Fields that have the question in published benchmarks, in order of preference. */
const questionFields = 'question problem prompt instruction query input text 题目 问题'.split(' ')

/** A file of items, as run.json pins it. */
export interface ItemsFile {
  /** Path as in the recipe, or as its glob found it. */
  readonly name: string
  readonly sha256: string
}

interface Row {
  /** 'line 12', 'item 3', 'row 4'. */
  readonly place: string
  readonly values: Readonly<Record<string, unknown>>
}

/**
 * Returns the items of a file, one for each field of each row that has text, and its hash.
 *
 * @param fields names of the fields; the first known one if empty
 * @throws {RecipeError} the file cannot be read, has another format, or no row has such a field
 */
export async function readItems(
  name: string,
  directory: string,
  fields: readonly string[],
): Promise<{ file: ItemsFile; items: TestItem[] }> {
  const path = resolve(directory, name)
  const rows: Row[] = []
  let sha256: string
  try {
    const { size } = await stat(path)
    if (size > fileBytesMax) throw new Error(`${size} bytes, at most ${fileBytesMax} are read`)
    const bytes = await readFile(path)
    sha256 = createHash('sha256').update(bytes).digest('hex')
    for await (const row of rowsOfFile(path, bytes)) rows.push(row)
  } catch (cause) {
    throw new RecipeError(
      say`prepare.decontaminate: ${name} cannot be read (${errorMessage(cause)}). Give a CSV, TSV, JSON
        Lines, JSON or Parquet file.`,
      { cause, details: { name } },
    )
  }
  const items = rows.flatMap(({ place, values }) =>
    textsOf(values, fields).map((text) => ({ place: `${name} ${place}`, form: comparisonForm(text) })),
  )
  if (items.length > 0) return { file: { name, sha256 }, items }
  const found = Object.keys(rows[0]?.values ?? {})
  throw new RecipeError(
    say`prepare.decontaminate: ${name} has no text in
      ${listText(fields.length > 0 ? fields : questionFields)}; its fields are
      ${listText(found) || translated('none')}. Name them in prepare.decontaminate.fields.`,
    { details: { name, found: found.join(', ') } },
  )
}

/** Field names are compared without case: C-Eval has question, CMMLU Question. */
function textsOf(values: Readonly<Record<string, unknown>>, fields: readonly string[]): string[] {
  const known = Object.entries(values).map(([key, value]) => [key.trim().toLowerCase(), value] as const)
  const textOf = (field: string) => known.find(([key]) => key === field.toLowerCase())?.[1]
  const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== ''
  if (fields.length > 0) return fields.map(textOf).filter(isText)
  const first = questionFields.map(textOf).find(isText)
  return first === undefined ? [] : [first]
}

async function* rowsOfFile(path: string, bytes: Buffer): AsyncGenerator<Row> {
  const extension = extname(path).toLowerCase()
  if (extension === '.parquet') yield* parquetRows(path)
  else if (extension === '.csv' || extension === '.tsv') yield* csvRows(bytes, extension === '.csv' ? ',' : '\t')
  else yield* jsonRows(bytes.toString('utf8').replace(/^\ufeff/, ''))
}

async function* parquetRows(path: string): AsyncGenerator<Row> {
  const part = await openPart(path)
  try {
    let row = 0
    for await (const values of rowsOf(part)) yield { place: `row ${row++}`, values }
  } finally {
    await part.close()
  }
}

function* csvRows(bytes: Buffer, delimiter: string): Generator<Row> {
  const records = parse(bytes, {
    bom: true,
    columns: true,
    delimiter,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
  }) as unknown as { record: Record<string, string>; info: { lines: number } }[]
  for (const { record, info } of records) yield { place: `line ${info.lines}`, values: record }
}

/** JSON Lines; or one value: an array of items, or an object with one (`example` of GAOKAO-Bench). */
function* jsonRows(text: string): Generator<Row> {
  const whole = tryParseJson(text) // undefined for JSON Lines
  const list: unknown[] | undefined = Array.isArray(whole)
    ? whole
    : isRecord(whole)
      ? Object.values(whole).find(Array.isArray)
      : undefined
  if (list !== undefined) {
    for (const [index, values] of list.entries()) {
      if (isRecord(values)) yield { place: `item ${index}`, values }
    }
    return
  }
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const values = tryParseJson(line)
    if (!isRecord(values)) throw new Error(`line ${index + 1} is not a JSON object`)
    yield { place: `line ${index + 1}`, values }
  }
}
