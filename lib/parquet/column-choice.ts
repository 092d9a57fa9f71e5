/** Restricts a Parquet footer to some top-level columns, so that the others are not read. */
import type { FileMetaData } from 'hyparquet'
import { parquetSchema, type SchemaElement, type SchemaTree } from 'hyparquet'

/** Returns the footer with the named columns; names that the file lacks are ignored. */
export function withColumns(metadata: FileMetaData, names: readonly string[]): FileMetaData {
  const root = parquetSchema(metadata)
  const kept = root.children.filter(({ element }) => names.includes(element.name))
  const schema: SchemaElement[] = [{ ...root.element, num_children: kept.length }, ...kept.flatMap(elementsOf)]
  const row_groups = metadata.row_groups.map((group) => ({
    ...group,
    columns: group.columns.filter(({ meta_data }) => names.includes(meta_data?.path_in_schema[0] ?? '')),
  }))
  return { ...metadata, schema, row_groups }
}

function elementsOf(node: SchemaTree): SchemaElement[] {
  return [node.element, ...node.children.flatMap(elementsOf)]
}
