/**
 * The JSON Schema of a recipe as it is written: with sizes such as '64MiB', durations such as '30s' and the short forms
 * that load.ts expands. Editors complete and check recipes with it. Made from the zod schema; recipes/recipe.schema.json
 * is a copy, which a test compares.
 */

import { z } from 'zod'
import { isRecord } from '../core/objects.js'
import { formatUnit, type Unit, unitPattern } from './byte-units.js'
import { recipeOptions } from './schema.js'
import { allowedText, childOf, membersOf, unitOf, unwrap } from './schema-tree.js'

type Zod = Parameters<typeof unwrap>[0]
type Json = Record<string, unknown>

/** Draft 7, which the YAML language server supports in full. */
export function recipeJsonSchema(): Json {
  const { $schema, ...json } = z.toJSONSchema(recipeOptions, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
  }) as Json
  const schema = withShortForms(adapted(json, recipeOptions, ''))
  return {
    $schema,
    title: 'kun-stream recipe',
    description: 'docs/recipe.md describes all fields',
    ...schema,
  }
}

/** Returns the schema without metadata of our own, with units as text, and with the allowed values in descriptions. */
function adapted(given: Json, schema: Zod, name: string): Json {
  const { inner, meta, optional, defaultValue } = unwrap(schema)
  const { altersOutput: _, allowed, unit: __, default: ___, ...json } = withInner(given, inner)
  // The bound that zod adds to every whole number.
  if (json.maximum === Number.MAX_SAFE_INTEGER) delete json.maximum
  const unit = unitOf(name, schema)
  const described = {
    ...(unit === null ? json : withText(json, unit)),
    ...(meta.description !== undefined && { description: describedBy(meta.description, allowed, unit, schema, name) }),
    ...defaultOf(defaultValue, unit),
  }
  // The loader removes a null of an optional field: `limits:` with all its fields in comments.
  return optional && json.type === 'object' ? { ...described, type: ['object', 'null'] } : described
}

/** Adapts the schemas inside: of fields, of entries of a list or a map, of the members of a union. */
function withInner(json: Json, inner: Zod): Json {
  const { properties, items, additionalProperties, propertyNames, anyOf } = json
  const child = (below: unknown, key: PropertyKey, name: string): Json => {
    const schema = childOf(inner, key)
    return schema === null ? (below as Json) : adapted(below as Json, schema, name)
  }
  const members = membersOf(inner)
  return {
    ...json,
    ...(isRecord(properties) && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, below]) => [key, child(below, key, key)])),
    }),
    ...(isRecord(items) && { items: child(items, 0, '') }),
    ...(isRecord(propertyNames) && { propertyNames: withoutMetadata(propertyNames) }),
    ...(isRecord(additionalProperties) && { additionalProperties: child(additionalProperties, 'NAME', '') }),
    ...(Array.isArray(anyOf) && {
      anyOf: anyOf.map((below: Json, index) => (members[index] ? adapted(below, members[index], '') : below)),
    }),
  }
}

function withoutMetadata({ altersOutput: _, allowed: __, ...json }: Json): Json {
  return json
}

function describedBy(description: string, allowed: unknown, unit: Unit | null, schema: Zod, name: string): string {
  return allowed === undefined && unit === null ? description : `${description}. Allowed: ${allowedText(schema, name)}`
}

/** Returns a schema of numbers that also accepts them with a unit. */
function withText(json: Json, unit: Unit): Json {
  const text = { type: 'string', pattern: unitPattern(unit) }
  if (Array.isArray(json.anyOf)) return { ...json, anyOf: [...json.anyOf, text] }
  const { description, ...number } = json
  return { ...(description !== undefined && { description }), anyOf: [number, text] }
}

/** No default of maps, which an editor would insert as `{}`, and none for 'no limit'. */
function defaultOf(value: unknown, unit: Unit | null): Json {
  if (value === undefined || value === Number.POSITIVE_INFINITY || isRecord(value)) return {}
  return { default: unit !== null && typeof value === 'number' ? formatUnit(value, unit) : value }
}

/** `files: a` for a list of one, `run:` without files, `replies: discard` or `keep`. */
function withShortForms(schema: Json): Json {
  const properties = schema.properties as Record<string, Json>
  const { sources, replies } = properties as { sources: Json; replies: Json }
  const entry = sources.items as Json
  const fields = entry.properties as Record<string, Json>
  const { description, ...files } = fields.files as Json
  const { description: _, ...keeping } = replies
  return {
    ...schema,
    properties: {
      ...properties,
      sources: {
        ...sources,
        items: {
          ...entry,
          properties: { ...fields, files: { description, anyOf: [files, files.items] } },
          required: ['split'],
          anyOf: [{ required: ['files'] }, { required: ['run'] }],
        },
      },
      replies: { anyOf: [{ enum: ['discard', 'keep'] }, keeping] },
    },
  }
}
