/** Finds the records that make every attempt at a unit fail, by attempts at parts of it. */

interface Bisection {
  /** Each fails alone. In input order. */
  readonly found: readonly string[]
  /** Why records are left that were not found; null if every failure is explained. */
  readonly unexplained: 'passes' | 'together' | 'too-many' | null
  /** Attempts that were made. */
  readonly attempts: number
}

interface BisectOptions {
  /** Ids in input order. */
  readonly records: readonly string[]
  /** Makes an attempt at these records alone; returns whether it failed. A throw ends the search. */
  readonly fails: (records: readonly string[]) => Promise<boolean>
  /** Called for each record as it is found, before the search is over: not yet a reason for a decision. */
  readonly onFound?: (record: string) => void
  /** More than this many bad records are not plausible: the machine or a server is suspected. */
  readonly foundMax?: number
}

const foundMaxDefault = 10

/**
 * Halves the records until each that fails alone is found: 2 log2(n) attempts a record.
 *
 * 'passes': an attempt at all records succeeded. 'together': parts fail that succeed half by half.
 */
export async function bisectRecords(options: BisectOptions): Promise<Bisection> {
  const { records, onFound, foundMax = foundMaxDefault } = options
  const found: string[] = []
  let attempts = 0
  let together = false
  let tooMany = false
  const fails = (part: readonly string[]): Promise<boolean> => {
    attempts++
    return options.fails(part)
  }
  /** @param part is known to fail */
  const search = async (part: readonly string[]): Promise<void> => {
    if (tooMany) return
    if (part.length === 1) {
      if (found.length === foundMax) {
        tooMany = true
        return
      }
      const [record] = part as [string]
      found.push(record)
      onFound?.(record)
      return
    }
    const middle = Math.ceil(part.length / 2)
    const halves = [part.slice(0, middle), part.slice(middle)]
    let failed = false
    for (const half of halves) {
      if (tooMany || !(await fails(half))) continue
      failed = true
      await search(half)
    }
    if (!failed && !tooMany) together = true
  }
  if (records.length === 0 || !(await fails(records))) return { found, unexplained: 'passes', attempts }
  await search(records)
  return { found, unexplained: tooMany ? 'too-many' : together ? 'together' : null, attempts }
}
