/**
 * Parses server-sent events from text that is cut anywhere. Does not interpret the events.
 * Source: HTML standard, 9.2.6: lines end in LF, CR LF or CR; `data` lines of one event are joined.
 */

/** One event: its name ('message' if it has none) and its data. */
type OnEvent = (data: string, name: string) => void

/** Memory: the event that is being read. */
export class EventParser {
  readonly #onEvent: OnEvent
  /** Pieces of the line that is being read: searched once, joined once. */
  #line: string[] = []
  #data: string[] = []
  #name = ''
  /** The last line ended in a CR at the end of the text: an LF that follows belongs to it. */
  #afterReturn = false
  #started = false

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent
  }

  push(text: string): void {
    if (text === '') return
    let start = 0
    if (!this.#started && text.startsWith('\ufeff')) start = 1
    if (this.#afterReturn && text.startsWith('\n')) start = 1
    this.#started = true
    this.#afterReturn = false
    lineEnd.lastIndex = start
    for (let end = lineEnd.exec(text); end !== null; end = lineEnd.exec(text)) {
      this.#endLine(text.slice(start, end.index))
      start = lineEnd.lastIndex
      this.#afterReturn = end[0] === '\r' && start === text.length
    }
    if (start < text.length) this.#line.push(text.slice(start))
  }

  /** Ends the text: an event without a blank line after it counts too. */
  end(): void {
    this.#endLine('')
    this.#dispatch()
  }

  #endLine(last: string): void {
    const line = this.#line.join('') + last
    this.#line = []
    if (line.trim() === '') {
      this.#dispatch()
      return
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field.trim() === 'data') this.#data.push(value)
    else if (field.trim() === 'event') this.#name = value.trim()
  }

  #dispatch(): void {
    const data = this.#data
    const name = this.#name === '' ? 'message' : this.#name
    this.#data = []
    this.#name = ''
    if (data.length === 0) return
    // Some servers omit the blank line between events: each line is then a separate JSON text.
    const single = data.length === 1 || !data.every((line) => /^\s*(?:\{.*\}|\[DONE\])\s*$/.test(line))
    for (const event of single ? [data.join('\n')] : data) this.#onEvent(event, name)
  }
}

const lineEnd = /\r\n|\n|\r/g
