/** Help text of a flag, from the schema of the option that it sets. */
import type { z } from 'zod'

/** Returns the description with a lower-case first letter, like the other texts of `--help`. */
export function helpOf(option: z.ZodType): string {
  const { description = '' } = option.meta() ?? {}
  return description.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase())
}
