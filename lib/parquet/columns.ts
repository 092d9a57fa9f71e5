/**
 * Columns of the Parquet files that a run writes: their types, their description for the Hub, and the check of a row.
 */
import { isRecord } from '../core/objects.js'
import { quote } from '../core/quote.js'
import { ContractError, InvalidOptionError } from '../errors.js'

/** Types of columns. 'message' is {role, content}, 'messages' a list of them, 'turns' a list of {from, value}. */
type ColumnType = 'string' | 'int64' | 'int32' | 'float64' | 'boolean' | 'message' | 'messages' | 'turns'

/** A column of a Parquet file. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly nullable?: boolean
}

/** Texts by name: a message or a turn. */
type Texts = Readonly<Record<string, string>>

/** Names of the texts in a type of column that has some. */
export const textNames: Readonly<Record<'message' | 'messages' | 'turns', readonly [string, string]>> = {
  message: ['role', 'content'],
  messages: ['role', 'content'],
  turns: ['from', 'value'],
}

/** A value of a row: bigint or number for int64, null where the column is nullable. */
export type Cell = string | number | bigint | boolean | null | Texts | readonly Texts[]
/** A row of data/, by column name. */
export type Row = Readonly<Record<string, Cell>>

/** Checks names: letters, digits and '_', not beginning with a digit, so that every reader can address them. */
export function checkColumns(columns: readonly Column[]): void {
  if (columns.length === 0) throw new InvalidOptionError('a file needs at least one column, none was given')
  const seen = new Set<string>()
  for (const { name } of columns) {
    if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name) || name === '__proto__') {
      throw new InvalidOptionError(`a column is named ${quote(name)}: letters, digits and _ are allowed`)
    }
    if (seen.has(name)) throw new InvalidOptionError(`two columns are named ${quote(name)}`)
    seen.add(name)
  }
}

/** Returns the key `huggingface` of a file's metadata, which gives the columns to `datasets` and the viewer. */
export function huggingfaceMetadata(columns: readonly Column[]): string {
  return JSON.stringify({ info: { features: featuresOf(columns) } })
}

/** Returns the columns as `datasets` names them. */
function featuresOf(columns: readonly Column[]): Record<string, unknown> {
  const text = { dtype: 'string', _type: 'Value' }
  const textsOf = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, text]))
  return Object.fromEntries(
    columns.map(({ name, type }) => {
      if (type === 'message') return [name, textsOf(textNames[type])]
      if (type === 'messages' || type === 'turns') return [name, [textsOf(textNames[type])]]
      return [name, { dtype: type === 'boolean' ? 'bool' : type, _type: 'Value' }]
    }),
  )
}

/** Returns the checked cells of a row in the order of the columns: strings well-formed, int64 as bigint. */
export function cellsOf(columns: readonly Column[], row: Readonly<Record<string, unknown>>): Cell[] {
  const cells = columns.map((column) => {
    const value = Object.hasOwn(row, column.name) ? row[column.name] : undefined
    return checkedCell(column, value)
  })
  if (Object.keys(row).length > columns.length) {
    const names = new Set(columns.map(({ name }) => name))
    const extra = Object.keys(row).find((name) => !names.has(name))
    if (extra !== undefined) throw new ContractError(`a row has ${quote(extra)}, which is not a column`)
  }
  return cells
}

/** Returns the approximate uncompressed size of the cells in Parquet. */
export function sizeOf(cells: readonly Cell[]): number {
  let bytes = 0
  for (const cell of cells) {
    if (typeof cell === 'string') bytes += 4 + Buffer.byteLength(cell)
    else if (Array.isArray(cell)) bytes += sizeOf(cell as readonly Texts[])
    else if (typeof cell === 'object' && cell !== null) bytes += sizeOf(Object.values(cell as Texts))
    else bytes += 8
  }
  return bytes
}

function checkedCell(column: Column, value: unknown): Cell {
  const { name, type, nullable } = column
  if (value === null || value === undefined) {
    if (nullable) return null
    throw wrong(column, value)
  }
  switch (type) {
    case 'string':
      if (typeof value === 'string') return wellFormed(value)
      break
    case 'boolean':
      if (typeof value === 'boolean') return value
      break
    case 'float64':
      // NaN and infinity cannot be written as JSON, and most readers do not compare them: use null for unknown.
      if (Number.isFinite(value)) return value as number
      break
    case 'int32':
      if (Number.isInteger(value) && BigInt.asIntN(32, BigInt(value as number)) === BigInt(value as number)) {
        return value as number
      }
      break
    case 'int64':
      if (Number.isSafeInteger(value)) return BigInt(value as number)
      if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) return value
      break
    case 'message':
      return checkedTexts(name, textNames[type], value)
    case 'messages':
    case 'turns':
      if (Array.isArray(value)) return value.map((texts, i) => checkedTexts(`${name}[${i}]`, textNames[type], texts))
  }
  throw wrong(column, value)
}

function checkedTexts(column: string, names: readonly string[], value: unknown): Texts {
  return Object.fromEntries(
    names.map((name) => {
      const text = isRecord(value) ? value[name] : undefined
      if (typeof text !== 'string') throw wrong({ name: `${column}.${name}`, type: 'string' }, text)
      return [name, wellFormed(text)]
    }),
  )
}

/** Replaces lone surrogates by U+FFFD. (The types of ES2023 lack `toWellFormed`.) */
function wellFormed(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed()
}

function wrong({ name, type, nullable }: Column, value: unknown): ContractError {
  return new ContractError(`column ${name} takes ${type}${nullable ? ' or null' : ''}, found ${quote(value)}`)
}
