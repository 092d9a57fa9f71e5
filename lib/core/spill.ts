/** Storage for finished values that wait for an earlier one when memory for them is used up. */

/** Position of a value in the spill store. Bytes. */
export interface SpillRecord {
  readonly offset: number
  readonly lengthBytes: number
}

/** Values put in a spill store are read back once each. */
export interface SpillStore {
  /** The largest size of the store so far, bytes. */
  readonly peakBytes: number
  put(value: unknown): Promise<SpillRecord>
  get(place: SpillRecord): Promise<unknown>
  close(): Promise<void>
}
