/** Types of the parts of parquetjs-lite 0.8.7 that are used; the package has none. */
declare module 'parquetjs-lite' {
  export interface FieldDefinition {
    type?: string
    optional?: boolean
    repeated?: boolean
    compression?: string
    statistics?: false
    fields?: Record<string, FieldDefinition>
  }
  export class ParquetSchema {
    constructor(fields: Record<string, FieldDefinition>)
    readonly fieldList: readonly { readonly path: readonly string[]; readonly isNested?: boolean }[]
  }
  export interface RowBuffer {
    readonly pages: Record<string, { readonly page: Buffer }[]>
  }
  export interface RowGroupMetadata {
    total_byte_size: number
    readonly columns: readonly { readonly meta_data: { total_uncompressed_size: number } }[]
  }
  export class ParquetEnvelopeWriter {
    constructor(
      schema: ParquetSchema,
      write: (bytes: Buffer) => Promise<void>,
      close: () => Promise<void>,
      offset: number,
      options: object,
    )
    readonly rowGroups: RowGroupMetadata[]
    writeRowGroup(rows: RowBuffer): Promise<void>
  }
  export class ParquetWriter {
    constructor(schema: ParquetSchema, envelope: ParquetEnvelopeWriter, options: object)
    appendRow(row: object): Promise<void>
    setRowGroupSize(rows: number): void
    setMetadata(key: string, value: string): void
    close(): Promise<void>
  }
  const parquet: {
    ParquetSchema: typeof ParquetSchema
    ParquetEnvelopeWriter: typeof ParquetEnvelopeWriter
    ParquetWriter: typeof ParquetWriter
  }
  export default parquet
}

declare module 'parquetjs-lite/lib/util.js' {
  const util: { decodeThrift(into: object, bytes: Buffer, offset?: number): number }
  export default util
}

declare module 'parquetjs-lite/gen-nodejs/parquet_types.js' {
  const types: { PageHeader: new () => { uncompressed_page_size: number } }
  export default types
}
