/**
 * What the schema of an option says besides its type. The table of docs/recipe.md, the recipe lock and `--help` are
 * made from it.
 */
import type { z } from 'zod'

declare module 'zod' {
  interface GlobalMeta {
    /**
     * Whether another value can change bytes in data/, rejects/ or stats.json. True where it is absent: a new option is
     * pinned by run.json until somebody decides otherwise.
     */
    altersOutput?: boolean | undefined
    /** Allowed values in words, where a pattern would not help a reader. */
    allowed?: string | undefined
    /** Unit of a number, '64MiB' or '30s'; derived from the option's name where it is absent. */
    unit?: 'bytes' | 'ms' | undefined
  }
}

/** With `description`, the meaning of the option in one sentence. */
export type OptionMeta = z.core.GlobalMeta

/** Metadata of an option that does not alter the output. Example: `.meta(unpinned('Worker threads'))` */
export function unpinned(description: string): OptionMeta {
  return { description, altersOutput: false }
}
