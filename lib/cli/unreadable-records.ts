/** Counts unreadable records. If no record is readable, the field or the format is probably wrong. */
export class UnreadableRecords {
  #count = 0
  #detail = ''

  /** @param detail why the record cannot be read */
  add(detail: string): void {
    if (this.#count === 0) this.#detail = detail
    this.#count++
  }

  /** Returns a message if none of `records` could be read; null otherwise. */
  all(records: number): string | null {
    if (records === 0 || this.#count < records) return null
    return `none of ${records} ${records === 1 ? 'record' : 'records'} could be read, the first for: ${this.#detail}. Name the field of the text with --text`
  }
}
