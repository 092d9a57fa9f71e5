/**
 * Looks into a zod schema: its fields, their defaults, and what is allowed in words.
 * The only file that knows how zod builds its schemas; checking is left to zod.
 */
import { z } from 'zod'
import { ownValue } from '../core/dictionary.js'
import type { OptionMeta } from '../core/option-meta.js'
import { forms, type Unit, unitOfName, written } from './byte-units.js'

type Schema = z.core.$ZodType

export interface Unwrapped {
  /** The schema without optional, default and the like around it. */
  readonly inner: Schema
  readonly meta: OptionMeta
  readonly optional: boolean
  /** undefined when there is none; a function of zod gives it anew each time. */
  readonly defaultValue: unknown
}

/** Removes the layers around a schema and merges their metadata; that of an outer layer takes precedence. */
export function unwrap(schema: Schema): Unwrapped {
  let inner = schema
  let meta = metaOf(schema)
  let optional = false
  let defaultValue: unknown
  for (;;) {
    const { def } = inner._zod as unknown as { def: Definition }
    if (def.type === 'optional' || def.type === 'default' || def.type === 'prefault') optional = true
    if (def.type === 'default' || def.type === 'prefault') defaultValue ??= def.defaultValue
    if (def.innerType === undefined) return { inner, meta, optional, defaultValue }
    inner = def.innerType
    meta = { ...metaOf(inner), ...meta }
  }
}

function metaOf(schema: Schema): OptionMeta {
  return z.globalRegistry.get(schema) ?? {}
}

interface Definition {
  readonly type: string
  readonly innerType?: Schema
  readonly defaultValue?: unknown
  readonly shape?: Readonly<Record<string, Schema>>
  readonly element?: Schema
  readonly valueType?: Schema
  readonly options?: readonly Schema[]
}

function definitionOf(schema: Schema): Definition {
  return schema._zod.def as unknown as Definition
}

/** Fields of an object; of a union, those of its objects; null for anything else. */
export function shapeOf(schema: Schema): Readonly<Record<string, Schema>> | null {
  const { shape, options } = definitionOf(unwrap(schema).inner)
  if (shape !== undefined) return shape
  const shapes = (options ?? []).map(shapeOf).filter((each) => each !== null)
  return shapes.length === 0 ? null : Object.assign({}, ...shapes)
}

/** What stands below a key or index; null where nothing is known of it. */
export function childOf(schema: Schema, key: PropertyKey): Schema | null {
  const { element, valueType, options } = definitionOf(unwrap(schema).inner)
  if (typeof key === 'number') return element ?? firstOf(options, (option) => childOf(option, key))
  return ownValue(shapeOf(schema), String(key)) ?? valueType ?? firstOf(options, (option) => childOf(option, key))
}

function firstOf(options: readonly Schema[] | undefined, find: (option: Schema) => Schema | null): Schema | null {
  for (const option of options ?? []) {
    const found = find(option)
    if (found !== null) return found
  }
  return null
}

/** The schema at a path; null where nothing is known of it. */
export function schemaAt(schema: Schema, path: readonly PropertyKey[]): Schema | null {
  return path.reduce<Schema | null>((above, key) => (above === null ? null : childOf(above, key)), schema)
}

export interface Field {
  /** As a recipe would name it: 'sources[].split', 'models.NAME.endpoints'. */
  readonly path: string
  readonly allowed: string
  /** '' when it must be given, 'none' when it may be left out, else the value; `{}` stands for all that is below. */
  readonly byDefault: string
  readonly altersOutput: boolean
  readonly description: string
}

/** Every field that holds a value, in the order of the schema. What is below a field that alters nothing alters nothing. */
export function fieldsOf(schema: Schema, prefix = '', above = true): Field[] {
  return Object.entries(shapeOf(schema) ?? {}).flatMap(([name, child]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`
    const { inner, meta, optional, defaultValue } = unwrap(child)
    const altersOutput = above && meta.altersOutput !== false
    const { element, valueType } = definitionOf(inner)
    if (element !== undefined && shapeOf(element) !== null) return fieldsOf(element, `${path}[]`, altersOutput)
    if (valueType !== undefined && shapeOf(valueType) !== null) return fieldsOf(valueType, `${path}.NAME`, altersOutput)
    const below = fieldsOf(inner, path, altersOutput)
    if (definitionOf(inner).type === 'object') return below
    const unit = unitOf(name, child)
    const own = {
      path,
      allowed: allowed(child, name),
      byDefault: defaultValue === undefined ? (optional ? 'none' : '') : shown(defaultValue, unit),
      altersOutput,
      description: meta.description ?? '',
    }
    return [own, ...below]
  })
}

function shown(value: unknown, unit: Unit | null): string {
  if (value === Number.POSITIVE_INFINITY) return 'no limit'
  return unit !== null && typeof value === 'number' ? written(value, unit) : JSON.stringify(value)
}

/** The unit of a number: noted, or in its name; null when it has none or is no number. */
export function unitOf(name: string, schema: Schema): Unit | null {
  const { inner, meta } = unwrap(schema)
  const { type, options } = definitionOf(inner)
  const isNumber =
    type === 'number' || (options ?? []).some((option) => definitionOf(unwrap(option).inner).type === 'number')
  return isNumber ? (meta.unit ?? unitOfName(name)) : null
}

/** What may stand in a field, in words: 'a whole number from 1 to 16', 'one of pairs, messages'. */
export function allowed(schema: Schema, name = ''): string {
  const { inner, meta } = unwrap(schema)
  if (meta.allowed !== undefined) return meta.allowed
  const { options, element, valueType, type } = definitionOf(inner)
  if (options !== undefined) return options.map((option) => allowed(option, name)).join(', or ')
  if (type === 'object' || valueType !== undefined) return 'a map'
  if (element !== undefined) return `a list, each ${allowed(element)}`
  const unit = unitOf(name, schema)
  const json = z.toJSONSchema(inner, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  return unit === null ? ofValue(json) : forms[unit] + range(json, (bound) => written(bound, unit))
}

/** The same of the field at a path; null where nothing is known of it. */
export function allowedAt(schema: Schema, path: readonly PropertyKey[]): string | null {
  const field = schemaAt(schema, path)
  return field === null ? null : allowed(field)
}

interface JsonSchema {
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
}

function ofValue(json: JsonSchema): string {
  if (json.const !== undefined) return String(json.const)
  if (json.enum !== undefined) return `one of ${json.enum.join(', ')}`
  if (json.type === 'integer') return `a whole number${range(json)}`
  if (json.type === 'number') return `a number${range(json)}`
  if (json.type === 'boolean') return 'true or false'
  if (json.format === 'uri') return 'an address (http://… or https://…)'
  if (json.pattern !== undefined) return `a text like ${json.pattern}`
  if (json.type === 'string') return json.minLength ? 'a text, not empty' : 'a text'
  return 'any value'
}

/** Bounds that zod adds to every whole number are not worth saying. */
function range({ minimum, exclusiveMinimum, maximum }: JsonSchema, say: (bound: number) => string = String): string {
  const over = exclusiveMinimum === undefined ? '' : ` over ${say(exclusiveMinimum)}`
  const from = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? '' : ` from ${say(minimum)}`
  const to = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? '' : ` to ${say(maximum)}`
  return over + from + to
}
