/** Counts unreadable records. If no record is readable, the field or the format is probably wrong. */
import { count } from '../language/count.js'
import { say } from '../language/say.js'

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
    return records === 0 || this.#count < records ? null : unreadableText(records, this.#detail)
  }
}

/** @param detail of the first record */
export function unreadableText(records: number, detail: string): string {
  const none = count(records, 'record')
  if (/\bfields: |\bcolumns\b|no-text/.test(detail)) {
    return say`none of ${none} could be read, the first for: ${detail}. Name the field of the text with --text`
  }
  return say`none of ${none} could be read, the first for: ${detail}. Check the format of the file (docs/shard-formats.md)`
}
