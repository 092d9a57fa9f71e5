/**
 * Encoder that uses parquetjs-lite (`output.encoder: parquetjs-lite`), with gzip or snappy.
 *
 * Works around its defects: INT64 beyond 2^53 is refused (it alters such values silently), statistics are disabled (its
 * bounds of strings are in UTF-16 order, so that readers skip matching row groups), and the uncompressed sizes, which it
 * sets to the compressed ones, are corrected before the footer is written.
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import parquet, { type FieldDefinition, type RowBuffer } from 'parquetjs-lite'
import types from 'parquetjs-lite/gen-nodejs/parquet_types.js'
import util from 'parquetjs-lite/lib/util.js'
import { ContractError } from '../../errors.js'
import { type Cell, type Column, textNames } from '../columns.js'
import type { EncodedFile, EncodedFileOptions, Encoder } from './types.js'
import { installedVersion } from './version.js'

/** Returns the encoder; it refuses int64 beyond 2^53. */
export function parquetjsEncoder(codec: 'gzip' | 'snappy' = 'gzip'): Encoder {
  // The bytes of gzip are those of Node's zlib: another version of Node may write others.
  const by = codec === 'gzip' ? `zlib ${process.versions.zlib}` : `snappyjs ${installedVersion('snappyjs')}`
  return {
    name: 'parquetjs-lite',
    identity: `parquetjs-lite ${installedVersion('parquetjs-lite')}, ${codec} by ${by}`,
    check: refuseLargeIntegers,
    open: (options) => new ParquetjsFile(options, codec),
  }
}

/** Rows of a data page: about 1 MiB of rows of 2 kB. */
const pageRows = 500

class ParquetjsFile implements EncodedFile {
  readonly #schema: InstanceType<typeof parquet.ParquetSchema>
  readonly #envelope: InstanceType<typeof parquet.ParquetEnvelopeWriter>
  readonly #writer: InstanceType<typeof parquet.ParquetWriter>
  /** parquetjs-lite does not await the write of its header: writes are chained here, and a failure is kept. */
  #written: Promise<void> = Promise.resolve()
  readonly #options: EncodedFileOptions

  constructor(options: EncodedFileOptions, codec: 'gzip' | 'snappy') {
    this.#options = options
    const fields: Record<string, FieldDefinition> = {}
    for (const column of options.columns) fields[column.name] = fieldOf(column, codec.toUpperCase())
    this.#schema = new parquet.ParquetSchema(fields)
    const settings = { pageSize: pageRows, pageIndex: false, useDataPageV2: true }
    const write = (bytes: Buffer): Promise<void> => {
      this.#written = this.#written.then(() => this.#options.write(bytes))
      // A failure that is not awaited here is thrown by the next call.
      this.#written.catch(() => undefined)
      return this.#written
    }
    this.#envelope = new parquet.ParquetEnvelopeWriter(this.#schema, write, async () => {}, 0, settings)
    this.#writer = new parquet.ParquetWriter(this.#schema, this.#envelope, settings)
    for (const [key, value] of Object.entries(options.metadata)) this.#writer.setMetadata(key, value)
    const writeRowGroup = this.#envelope.writeRowGroup.bind(this.#envelope)
    this.#envelope.writeRowGroup = async (rows) => {
      await writeRowGroup(rows)
      this.#correctSizes(rows)
    }
  }

  async writeRowGroup(columns: readonly (readonly Cell[])[], rows: number): Promise<void> {
    this.#writer.setRowGroupSize(rows)
    for (let r = 0; r < rows; r++) {
      const row: Record<string, unknown> = {}
      for (const [c, column] of this.#options.columns.entries())
        row[column.name] = encodedValue(column, columns[c]?.[r])
      await this.#writer.appendRow(row)
      // Its promises resolve in the current turn of the event loop: yield to other work.
      if (r % pageRows === 0) await nextTurn()
    }
    await this.#written
  }

  async finish(): Promise<void> {
    await this.#writer.close()
    await this.#written
  }

  #correctSizes(rows: RowBuffer): void {
    const group = this.#envelope.rowGroups.at(-1)
    if (group === undefined) throw new ContractError('parquetjs-lite kept no metadata of a row group')
    const leaves = this.#schema.fieldList.filter((field) => !field.isNested)
    let groupBytes = 0
    for (const [i, { meta_data }] of group.columns.entries()) {
      const pages = rows.pages[String(leaves[i]?.path)] ?? []
      meta_data.total_uncompressed_size = pages.reduce((sum, { page }) => sum + uncompressedBytes(page), 0)
      groupBytes += meta_data.total_uncompressed_size
    }
    group.total_byte_size = groupBytes
  }
}

function uncompressedBytes(page: Buffer): number {
  const header = new types.PageHeader()
  return util.decodeThrift(header, page) + header.uncompressed_page_size
}

function refuseLargeIntegers(columns: readonly Column[], cells: readonly Cell[]): void {
  for (const [c, { name, type }] of columns.entries()) {
    const cell = cells[c]
    if (type === 'int64' && typeof cell === 'bigint' && !Number.isSafeInteger(Number(cell))) {
      throw new ContractError(
        `column ${name}: parquetjs-lite alters integers beyond 2^53, found ${cell}: use the encoder hyparquet-writer`,
      )
    }
  }
}

function fieldOf({ type, nullable }: Column, compression: string): FieldDefinition {
  const leaf = (physical: string): FieldDefinition => ({ type: physical, compression, statistics: false })
  const optional = nullable === true
  if (type !== 'message' && type !== 'messages' && type !== 'turns') return { ...leaf(leafTypes[type]), optional }
  const element: FieldDefinition = { fields: Object.fromEntries(textNames[type].map((name) => [name, leaf('UTF8')])) }
  if (type === 'message') return { ...element, optional }
  return { type: 'LIST', optional, fields: { list: { repeated: true, fields: { element } } } }
}

const leafTypes = { string: 'UTF8', int64: 'INT64', int32: 'INT32', float64: 'DOUBLE', boolean: 'BOOLEAN' } as const

function encodedValue({ type }: Column, cell: Cell | undefined): unknown {
  if (cell === null || cell === undefined) return undefined
  if (type === 'messages' || type === 'turns')
    return { list: (cell as readonly object[]).map((element) => ({ element })) }
  return type === 'int64' ? Number(cell) : cell
}
