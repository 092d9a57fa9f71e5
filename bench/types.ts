/** A bench: fixed seed, what is compared interleaved, medians; a smoke size that the tests run so that it never rots. */

export interface BenchOptions {
  readonly size: 'smoke' | 'full'
  /** Says what is going on, on stderr. */
  readonly say: (line: string) => void
  /** Files and folders of labelled examples, for the bench 'filters'; its own by default. */
  readonly labelled?: readonly string[]
}

export type BenchCell = string | number | boolean | null
export type BenchRow = Readonly<Record<string, BenchCell>>

export interface BenchTable {
  readonly title: string
  readonly rows: readonly BenchRow[]
}

/** A figure against its aim. A missed aim is printed as missed; it fails nothing, for machines are shared. */
export interface BenchAim {
  readonly what: string
  readonly figure: number
  readonly aim: string
  readonly met: boolean
}

export interface BenchResult {
  readonly tables: readonly BenchTable[]
  readonly aims: readonly BenchAim[]
}

export interface Bench {
  readonly name: string
  readonly description: string
  run(options: BenchOptions): Promise<BenchResult>
}
