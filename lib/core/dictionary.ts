/**
 * Objects whose keys are data: splits, reasons, shards, columns. A key such as `constructor` or `__proto__` is a key like
 * any other there, never what every object inherits.
 */
import { z } from 'zod'

/** An object without a prototype: what was not put in is not there. */
export function dictionary<Value>(entries: Iterable<readonly [string, Value]> = []): Record<string, Value> {
  const made: Record<string, Value> = Object.create(null)
  for (const [key, value] of entries) made[key] = value
  return made
}

/** The object's own value of a key; undefined where it has none, whatever it inherits. */
export function ownValue<Value>(object: Readonly<Record<string, Value>> | null | undefined, key: string) {
  return object !== null && object !== undefined && Object.hasOwn(object, key) ? object[key] : undefined
}

/** What `z.record` of any string checks, but for its key `__proto__`, which zod leaves out. The result is a `dictionary`. */
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
