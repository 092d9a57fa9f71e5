/**
 * Selects the columns of a Parquet shard: those of the mapped fields only, down to the leaves of structs, so that an image
 * column is never read. The result is a footer without the other columns.
 */
import type { FileMetaData, SchemaElement, SchemaTree } from 'hyparquet'
import { parquetSchema } from 'hyparquet'
import { ShardDamageError } from '../../errors.js'
import { namesText } from '../../text/field-path.js'
import type { FieldMapping } from '../../text/mapping.js'

/** Fields of WanJuan's exam records, from which their text is composed. */
export const examFields = ['q_type', 'q_main', 'option_a', 'option_b', 'option_c', 'option_d', 'option_e'].concat([
  'std_ans',
  'answer',
  'answer_detail',
  'grade',
  'major',
  'keypoint',
])

/** Levels of structs and lists that are entered. */
const depthMax = 32

/**
 * Returns the footer with the mapped columns only; all of it if whole records are mapped.
 *
 * @throws {ShardDamageError} 'shard-columns': there is no column for the text; the message lists the columns
 */
export function mappedColumns(metadata: FileMetaData, mapping: FieldMapping): FileMetaData {
  if (mapping.text === '') return metadata
  const root = parquetSchema(metadata)
  const exam = mapping.compose === 'wanjuan-exam'
  const kept = new Set<SchemaTree>()
  const text = keep(root, mapping.text, kept)
  for (const name of [mapping.id, mapping.title, ...(exam ? examFields : [])]) {
    if (name !== undefined) keep(root, name, kept)
  }
  const composed = exam && root.children.some((child) => child.element.name === 'q_main')
  if (!text && !composed) {
    throw new ShardDamageError(
      'shard-columns',
      `no column ${namesText([mapping.text])} for the text; columns: ${namesText(leafNames(root))}. Name the right one as \`text\``,
    )
  }
  const schema: SchemaElement[] = []
  const leaves = new Set<string>()
  addElements(root, kept, schema, leaves)
  const row_groups = metadata.row_groups.map((group, index) => {
    const columns = group.columns.filter(({ meta_data }) => leaves.has(key(meta_data?.path_in_schema ?? [])))
    if (columns.length !== leaves.size) {
      throw new ShardDamageError('shard-corrupt', `row group ${index} has ${columns.length} of ${leaves.size} columns`)
    }
    return { ...group, columns }
  })
  return { ...metadata, schema, row_groups }
}

/** Marks the columns of a field; returns false if it is missing. Tries the exact name first, then the path. */
function keep(root: SchemaTree, name: string, kept: Set<SchemaTree>): boolean {
  const exact = root.children.find((child) => child.element.name === name)
  if (exact !== undefined) {
    keepAll(exact, kept, 0)
    return true
  }
  return name.includes('.') && keepPath(root, name.split('.'), kept, 0)
}

function keepPath(node: SchemaTree, path: readonly string[], kept: Set<SchemaTree>, depth: number): boolean {
  if (depth > depthMax) return false
  if (path.length === 0 || node.element.converted_type === 'MAP') {
    keepAll(node, kept, depth)
    return true
  }
  const child = node.children.find((each) => each.element.name === path[0])
  const found = child !== undefined && keepPath(child, path.slice(1), kept, depth + 1)
  if (found) kept.add(node)
  return found || (isList(node) && keepElements(node, path, kept, depth))
}

/** A list has one element under one repeated group. A path names neither, but may contain an index. */
function keepElements(node: SchemaTree, path: readonly string[], kept: Set<SchemaTree>, depth: number): boolean {
  const [group] = node.children
  const element = group?.children.length === 1 ? group.children[0] : group
  if (group === undefined || element === undefined) return false
  const rest = /^\d{1,9}$/.test(path[0] ?? '') ? path.slice(1) : path
  if (!keepPath(element, rest, kept, depth + 2)) return false
  kept.add(node).add(group)
  return true
}

/** Keeps all of a column; of a struct with a field `text`, which elements of a list may be, only that field. */
function keepAll(node: SchemaTree, kept: Set<SchemaTree>, depth: number): void {
  kept.add(node)
  if (depth > depthMax) throw new ShardDamageError('shard-unsupported', `columns are nested over ${depthMax} levels`)
  const isStruct = node.children.length > 1 && node.element.repetition_type !== 'REPEATED'
  const text = isStruct ? node.children.find((child) => child.element.name === 'text') : undefined
  for (const child of text === undefined ? node.children : [text]) keepAll(child, kept, depth + 1)
}

function isList({ element, children }: SchemaTree): boolean {
  return element.converted_type === 'LIST' && children.length === 1
}

/** Adds the kept elements: the schema is a list with each group before its children. */
function addElements(
  node: SchemaTree,
  kept: ReadonlySet<SchemaTree>,
  schema: SchemaElement[],
  leaves: Set<string>,
): void {
  const children = node.children.filter((child) => kept.has(child))
  schema.push(children.length === 0 ? node.element : { ...node.element, num_children: children.length })
  if (node.children.length === 0) leaves.add(key(node.path))
  for (const child of children) addElements(child, kept, schema, leaves)
}

/** Returns the paths of all leaves, as in a recipe. */
function leafNames(node: SchemaTree): string[] {
  if (node.children.length === 0) return [node.path.join('.')]
  if (isList(node) || node.element.converted_type === 'MAP') return [node.path.join('.')]
  return node.children.flatMap(leafNames)
}

function key(path: readonly string[]): string {
  return JSON.stringify(path)
}
