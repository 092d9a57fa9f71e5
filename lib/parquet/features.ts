/** Columns of a Parquet file as the library `datasets` names them, from its footer. */
import type { FileMetaData } from 'hyparquet'
import { z } from 'zod'

/** A column as `dataset_info.features` of a dataset card names it. */
export interface Feature {
  readonly name: string
  readonly dtype?: string
  readonly list?: readonly Feature[]
}

/** The value of the key `huggingface` of a footer. */
const huggingfaceKey = z.object({
  info: z.object({ features: z.record(z.string(), z.unknown()).default({}) }).default({ features: {} }),
})
const listOfStructs = z.tuple([z.record(z.string(), z.unknown())], z.unknown())
const scalar = z.object({ dtype: z.string().default('string') })

/** Returns the columns: from the key `huggingface` if the footer has one, else from the schema. */
export function featuresOf(metadata: FileMetaData): Feature[] {
  const value = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value
  if (value !== undefined) {
    return Object.entries(huggingfaceKey.parse(JSON.parse(value)).info.features).map(featureOf)
  }
  return metadata.schema.slice(1).map(({ name, type }) => ({ name, dtype: dtypes[type ?? ''] ?? 'string' }))
}

const dtypes: Readonly<Record<string, string>> = {
  BOOLEAN: 'bool',
  INT32: 'int32',
  INT64: 'int64',
  FLOAT: 'float32',
  DOUBLE: 'float64',
}

/** A list of one struct, such as `[{role, content}]`, becomes `list`. */
function featureOf([name, feature]: [string, unknown]): Feature {
  const list = listOfStructs.safeParse(feature)
  if (list.success) return { name, list: Object.entries(list.data[0]).map(featureOf) }
  return { name, dtype: scalar.safeParse(feature).data?.dtype ?? 'string' }
}
