/**
 * What is said of a field besides its type: for whom it is, and whether it alters the output.
 * Schemas that live in other folders keep their own shape; what the recipe says of their fields is noted here.
 */
import { z } from 'zod'

export interface FieldNote {
  readonly description?: string | undefined
  /**
   * Whether another value can give other bytes in data/, rejects/ or stats.json. True unless said otherwise:
   * a field that nobody thought about is pinned.
   */
  readonly altersOutput?: boolean | undefined
  /** What may stand in the field, where a pattern would not tell a person. */
  readonly allowed?: string | undefined
  /** How a number is written with a unit: '64MiB' or '30s'. From the field's name where it is absent. */
  readonly unit?: 'bytes' | 'ms' | undefined
}

const notes = z.registry<FieldNote>()

/** Notes fields of a schema; returns the schema itself. */
export function noted<Schema extends z.ZodObject>(
  schema: Schema,
  fields: { readonly [Key in keyof Schema['shape']]?: string | FieldNote },
): Schema {
  for (const [name, note] of Object.entries(fields) as [string, string | FieldNote][]) {
    const field = schema.shape[name]
    if (field !== undefined) notes.add(field, typeof note === 'string' ? { description: note } : note)
  }
  return schema
}

/** A note for a field that does not alter the output. */
export function free(description: string): FieldNote {
  return { description, altersOutput: false }
}

/** What is known of a field: notes of the recipe first, then the schema's own metadata. */
export function noteOf(schema: z.core.$ZodType): FieldNote {
  const own = z.globalRegistry.get(schema) as FieldNote | undefined
  return { ...own, ...notes.get(schema as z.ZodType) }
}
