/** Progress of a publish: on a terminal one line that is overwritten, elsewhere one line for each phase. */
import { say, translated } from '../../language/say.js'
import type { PublishProgress } from '../../publish/options.js'
import { bytesText } from './bytes-text.js'
import { terminalText } from './terminal-text.js'

export class ProgressLine {
  readonly #stream: NodeJS.WriteStream
  readonly #live: boolean
  #phase = ''
  #shown = false

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    this.#live = stream.isTTY === true
  }

  /** @returns whether a phase begins */
  show({ phase, name, bytesDone, bytesTotal }: PublishProgress): boolean {
    const begins = phase !== this.#phase
    this.#phase = phase
    if (this.#live || begins) {
      const text = terminalText(say`${translated(phase)} ${name}: ${bytesText(bytesDone)} of ${bytesText(bytesTotal)}`)
      this.#stream.write(this.#live ? `\r\x1b[2K${text}` : `${text}\n`)
      this.#shown = true
    }
    return begins
  }

  /** Replaces the current line by a permanent one. */
  readonly print = (message: string): void => {
    this.end()
    this.#stream.write(terminalText(`${message}\n`))
  }

  end(): void {
    if (this.#live && this.#shown) this.#stream.write('\r\x1b[2K')
    this.#shown = false
  }
}
