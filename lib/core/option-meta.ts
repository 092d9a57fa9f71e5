/**
 * Metadata of an option in its schema. The tables of docs/recipe.md, the recipe lock and the texts of `--help` are
 * generated from it.
 */
import type { z } from 'zod'

declare module 'zod' {
  interface GlobalMeta {
    /**
     * Whether another value can change bytes in data/, rejects/ or stats.json. True if absent: an option without this
     * metadata is pinned by run.json.
     */
    altersOutput?: boolean | undefined
    /** Allowed values in words, for types that are not readable as a pattern. */
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
