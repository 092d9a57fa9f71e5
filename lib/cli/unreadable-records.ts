/** Counts unreadable records; if no record is readable, the field or the format was named wrongly. */
export class UnreadableRecords {
  #count = 0
  #detail = ''

  /** @param detail why, of one record */
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
