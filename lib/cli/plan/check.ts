/** One finding of `plan`: what was checked, whether it is in order, and the mend. */

type CheckLevel = 'ok' | 'warn' | 'fail'

export interface Check {
  /** Stable word: what was checked. */
  readonly check: 'prompt' | 'files' | 'source' | 'server' | 'context' | 'disk' | 'hub' | 'sample'
  readonly level: CheckLevel
  /** What it is about: a path of the recipe, an address, a folder. */
  readonly subject: string
  /** Stable word: what was found. */
  readonly finding: string
  /** Figures and names; the same in every language. */
  readonly facts: Readonly<Record<string, string | number | null>>
  /** One line for people, with the mend. */
  readonly line: string
}

/** Returns the check as JSON has it: without the line, which is in the language of the user. */
export function withoutLine({ line: _, ...check }: Check): Omit<Check, 'line'> {
  return check
}
