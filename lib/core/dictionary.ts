/**
 * Objects whose keys are data: splits, reasons, shards, columns. Keys such as `constructor` and `__proto__` are
 * ordinary keys there, never inherited properties.
 */
import { z } from 'zod'

/** Creates an object without a prototype: it has only the keys that were set. */
export function dictionary<Value>(entries: Iterable<readonly [string, Value]> = []): Record<string, Value> {
  const made: Record<string, Value> = Object.create(null)
  for (const [key, value] of entries) made[key] = value
  return made
}

/** Returns the object's own value of a key; undefined if it has none. Inherited properties do not count. */
export function ownValue<Value>(object: Readonly<Record<string, Value>> | null | undefined, key: string) {
  return object !== null && object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined
}

/** Like `z.record(z.string(), …)`, but keeps the key `__proto__`, which zod drops. The result is a `dictionary`. */
export function dictionarySchema<Schema extends z.ZodType>(value: Schema) {
  const record = z.custom<Record<string, unknown>>(
    (given) => typeof given === 'object' && given !== null && !Array.isArray(given),
  )
  return record.transform((given, context): Record<string, z.output<Schema>> => {
    const made = dictionary<z.output<Schema>>()
    for (const [key, inner] of Object.entries(given)) {
      const checked = value.safeParse(inner)
      if (checked.success) made[key] = checked.data
      else
        for (const issue of checked.error.issues) context.issues.push({ ...issue, path: [key, ...issue.path] } as never)
    }
    return made
  })
}
