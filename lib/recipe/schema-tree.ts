/**
 * Reads the fields of a zod schema, their defaults, and their allowed values in words. The only file that depends on the
 * internals of zod schemas.
 */
import { z } from 'zod'
import { ownValue } from '../core/dictionary.js'
import type { OptionMeta } from '../core/option-meta.js'
import { allowedForms, formatUnit, type Unit, unitOfName } from './byte-units.js'

type Schema = z.core.$ZodType

interface Unwrapped {
  /** The schema inside of optional, default and prefault. */
  readonly inner: Schema
  readonly meta: OptionMeta
  readonly optional: boolean
  /** undefined if there is none. */
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

/** Returns the fields of an object, or of all objects in a union; null for anything else. */
export function shapeOf(schema: Schema): Readonly<Record<string, Schema>> | null {
  const { shape, options } = definitionOf(unwrap(schema).inner)
  if (shape !== undefined) return shape
  const shapes = (options ?? []).map(shapeOf).filter((each) => each !== null)
  return shapes.length === 0 ? null : Object.assign({}, ...shapes)
}

/** Returns the schema below a key or index; null if it is unknown. */
export function childOf(schema: Schema, key: PropertyKey): Schema | null {
  const { element, valueType, options } = definitionOf(unwrap(schema).inner)
  if (typeof key === 'number') return element ?? firstOf(options, (option) => childOf(option, key))
  return ownValue(shapeOf(schema), String(key)) ?? valueType ?? firstOf(options, (option) => childOf(option, key))
}

/** Returns the members of a union; none for anything else. */
export function membersOf(schema: Schema): readonly Schema[] {
  return definitionOf(unwrap(schema).inner).options ?? []
}

function firstOf(options: readonly Schema[] | undefined, find: (option: Schema) => Schema | null): Schema | null {
  for (const option of options ?? []) {
    const found = find(option)
    if (found !== null) return found
  }
  return null
}

/** Returns the schema at a path; null if it is unknown. */
export function schemaAt(schema: Schema, path: readonly PropertyKey[]): Schema | null {
  return path.reduce<Schema | null>((above, key) => (above === null ? null : childOf(above, key)), schema)
}

export interface Field {
  /** Examples: 'sources[].split', 'models.NAME.endpoints'. */
  readonly path: string
  readonly allowed: string
  /** '' if it is required, 'none' if it is optional, else the default; `{}` means the defaults of the nested fields. */
  readonly byDefault: string
  readonly altersOutput: boolean
  readonly description: string
}

/** Returns every field that has a value, in the order of the schema. `altersOutput: false` applies to all fields below. */
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
      allowed: allowedText(child, name),
      byDefault: defaultValue === undefined ? (optional ? 'none' : '') : shown(defaultValue, unit),
      altersOutput,
      description: meta.description ?? '',
    }
    return [own, ...below]
  })
}

function shown(value: unknown, unit: Unit | null): string {
  if (value === Number.POSITIVE_INFINITY) return 'no limit'
  return unit !== null && typeof value === 'number' ? formatUnit(value, unit) : JSON.stringify(value)
}

/** Returns the unit of a number, from its metadata or its name; null for a number without unit and other types. */
export function unitOf(name: string, schema: Schema): Unit | null {
  const { inner, meta } = unwrap(schema)
  const { type, options } = definitionOf(inner)
  const isNumber =
    type === 'number' || (options ?? []).some((option) => definitionOf(unwrap(option).inner).type === 'number')
  return isNumber ? (meta.unit ?? unitOfName(name)) : null
}

/** Describes the allowed values. Examples: 'a whole number from 1 to 16', 'one of pairs, messages'. */
export function allowedText(schema: Schema, name = ''): string {
  const { inner, meta } = unwrap(schema)
  if (meta.allowed !== undefined) return meta.allowed
  const { options, element, valueType, type } = definitionOf(inner)
  if (options !== undefined) return options.map((option) => allowedText(option, name)).join(', or ')
  if (type === 'object' || valueType !== undefined) return 'a map'
  if (element !== undefined) return `a list, each ${allowedText(element)}`
  const unit = unitOf(name, schema)
  const json = z.toJSONSchema(inner, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  return unit === null ? ofValue(json) : allowedForms[unit] + range(json, (bound) => formatUnit(bound, unit))
}

/** Describes the allowed values of the field at a path; null if it is unknown. */
export function allowedAt(schema: Schema, path: readonly PropertyKey[]): string | null {
  const field = schemaAt(schema, path)
  return field === null ? null : allowedText(field)
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
  if (json.format === 'uri') return 'a URL (http://… or https://…)'
  if (json.pattern !== undefined) return `a string like ${json.pattern}`
  if (json.type === 'string') return json.minLength ? 'a string, not empty' : 'a string'
  return 'any value'
}

/** Omits the bounds that zod adds to every whole number. */
function range({ minimum, exclusiveMinimum, maximum }: JsonSchema, print: (bound: number) => string = String): string {
  const over = exclusiveMinimum === undefined ? '' : ` over ${print(exclusiveMinimum)}`
  const from = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? '' : ` from ${print(minimum)}`
  const to = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? '' : ` to ${print(maximum)}`
  return over + from + to
}
