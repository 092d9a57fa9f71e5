/**
 * How many records may be between dedup and the sink: as many as keep the servers busy, and fewer near the limit of rows,
 * so that a run that ends soon does not pay for replies that it will not use. Affects which requests are sent, never the
 * bytes.
 */
import { Credit } from '../core/credit.js'
import type { Endpoints } from '../llm/options.js'
import type { ModelServers } from '../llm/scheduler/model-servers.js'

/**
 * Records in flight per concurrent request: with fewer, one slow record in a hundred leaves slots of the servers empty.
 */
export const recordsPerRequest = 24
/** Servers of a file that are kept busy if memory allows. */
const serversOfFileMax = 64

/** Records in flight at servers that have few slots so far: they get more within seconds. */
const recordsMin = recordsPerRequest * 64

/**
 * Returns credit for the records that keep all endpoints busy; models that share one count once. It is a part of this at a
 * time: what the slots need that `servers` have then.
 */
export function recordCredit(
  models: Readonly<Record<string, { readonly endpoints: Endpoints; readonly inFlightMax: number }>>,
  servers: Pick<ModelServers, 'slots' | 'onSlots'>,
): Credit {
  const byEndpoint = new Map<string, number>()
  for (const { endpoints, inFlightMax } of Object.values(models)) {
    // Servers of a file may be added during the run.
    const names = 'file' in endpoints ? [`file ${endpoints.file}`] : endpoints
    const servers = 'file' in endpoints ? serversOfFileMax : 1
    for (const name of names) byEndpoint.set(name, Math.max(servers * inFlightMax, byEndpoint.get(name) ?? 0))
  }
  const credit = new Credit(
    'records',
    recordsPerRequest * [...byEndpoint.values()].reduce((sum, each) => sum + each, 0),
  )
  credit.boundBy(() => Math.max(recordsMin, recordsPerRequest * servers.slots()))
  servers.onSlots(() => credit.admit())
  return credit
}

interface RowsLimitOptions {
  /** Infinity: no limit. */
  readonly rowsMax: number
  /** Rows that a candidate gives at most. */
  readonly variants: number
  /** One credit per candidate between dedup and sink. */
  readonly credit: Credit
}

/** The limit of rows: whether it is reached, and the credit for candidates that goes with it. */
export class RowsLimit {
  readonly rowsMax: number
  readonly #variants: number
  readonly #credit: Credit
  /** Rows of earlier calls of `run`: the yield is that of this call. */
  #rowsBefore: number

  /** @param rows committed by earlier calls */
  constructor({ rowsMax, variants, credit }: RowsLimitOptions, rows: number) {
    this.rowsMax = rowsMax
    this.#variants = variants
    this.#credit = credit
    this.#rowsBefore = rows
    this.settled(rows)
  }

  isReached(rows: number): boolean {
    return rows >= this.rowsMax
  }

  /**
   * Adjusts the look-ahead to the rows that are missing and to the yield so far, which counts one candidate more than were
   * released, with all its variants: the first guess is that every candidate gives all its rows.
   */
  settled(rows: number): void {
    if (!Number.isFinite(this.rowsMax)) return
    const rowsPerCandidate = (rows - this.#rowsBefore + this.#variants) / (this.#credit.returned + 1)
    this.#credit.limitTo(Math.ceil((this.rowsMax - rows) / rowsPerCandidate))
  }
}
