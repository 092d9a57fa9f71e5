/** Help text of a flag, from the schema of the option that it sets. */
import type { z } from 'zod'

/** The description, as a phrase: without an upper-case first letter, as the other texts of `--help`. */
export function helpOf(option: z.ZodType): string {
  const { description = '' } = option.meta() ?? {}
  return description.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase())
}
