/**
 * A block of lines at the end of a terminal that is drawn again in place; permanent lines scroll above it.
 *
 * Of our own, because log-update (and what it needs, 170 kB) erases as many lines as it wrote: a terminal that was made
 * narrower has wrapped them, and the rest of each stays on the screen.
 */
import type { WriteStream } from 'node:tty'
import { terminalText } from './terminal-text.js'
import { graphemesOf, textWidth } from './text-width.js'

/** Size assumed if the terminal does not report one. */
const columnsDefault = 80
const rowsDefault = 24
/** Narrower terminals wrap the lines. */
const columnsMin = 20
/** Share of the window that the block may take: the lines above stay readable, and a narrower window still holds it. */
const heightShare = 2 / 3

/** Size of a block. */
export interface BlockSize {
  /** Cells of a line at most. The last column stays free: a character there moves the cursor differently by terminal. */
  readonly cells: number
  readonly lines: number
}

export class LiveBlock {
  readonly #stream: WriteStream
  /** The lines on the terminal, without styles. */
  #shown: readonly string[] = []

  constructor(stream: WriteStream) {
    this.#stream = stream
  }

  /** Returns the size for a block that is drawn now. */
  size(): BlockSize {
    const lines = Math.max(1, Math.floor((this.#stream.rows || rowsDefault) * heightShare))
    return { cells: Math.max(columnsMin, this.#columns()) - 1, lines }
  }

  /** Replaces the block. */
  draw(lines: readonly string[]): void {
    const clean = lines.map(terminalText)
    this.#stream.write(`${this.#erasure()}${clean.join('\n')}\n`)
    this.#shown = clean
  }

  /** Removes the block. */
  clear(): void {
    const erasure = this.#erasure()
    if (erasure !== '') this.#stream.write(erasure)
    this.#shown = []
  }

  /** Removes the block and writes a permanent line. */
  print(message: string): void {
    this.#stream.write(`${this.#erasure()}${terminalText(message)}\n`)
    this.#shown = []
  }

  #erasure(): string {
    const columns = this.#columns()
    const rows = this.#shown.reduce((sum, line) => sum + rowsOf(line, columns), 0)
    // \r, because the cursor may be after a ^C. Row by row, because tmux copies a region that is erased as a whole.
    return rows > 0 ? `\r\x1b[2K${'\x1b[1A\x1b[2K'.repeat(rows)}` : ''
  }

  #columns(): number {
    return this.#stream.columns || columnsDefault
  }
}

/** Returns the rows that a terminal needs for a line: a wide character does not fit into the last cell of a row. */
export function rowsOf(line: string, columns: number): number {
  if (textWidth(line) <= columns) return 1
  let [rows, cells] = [1, 0]
  for (const segment of graphemesOf(line.replace(styles, ''))) {
    const wide = textWidth(segment)
    if (cells + wide > columns) {
      rows++
      cells = 0
    }
    cells += wide
  }
  return rows
}

const styles = new RegExp(`${'\u001b'}\\[\\d+m`, 'g')
