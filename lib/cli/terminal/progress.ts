/**
 * Progress of a run on stderr: on a terminal a live block that fits the window, elsewhere a full plain line every few
 * seconds.
 */
import type { WriteStream } from 'node:tty'
import type { RunProgress } from '../../report/progress.js'
import { LiveBlock } from './live-block.js'
import { progressLine, progressLines } from './progress-text.js'
import { terminalText } from './terminal-text.js'

const liveEveryMs = 250
const plainEveryMs = 5000
/** A plain line follows after this share of the time so far, so that a long run does not fill a file; at most a minute. */
const plainShare = 0.05
const plainEveryMaxMs = 60_000

export class Progress {
  readonly #read: () => RunProgress
  readonly #stream: WriteStream
  readonly #block: LiveBlock
  readonly #live: boolean
  #timer: NodeJS.Timeout | null = null
  #plainAtSeconds = 0
  readonly #onResize = (): void => this.#show()

  constructor(read: () => RunProgress, stream: WriteStream = process.stderr) {
    this.#read = read
    this.#stream = stream
    this.#block = new LiveBlock(stream)
    this.#live = stream.isTTY === true && process.env.TERM !== 'dumb'
  }

  start(): void {
    this.#timer = setInterval(() => this.#show(), this.#live ? liveEveryMs : plainEveryMs)
    this.#timer.unref()
    if (this.#live) this.#stream.on('resize', this.#onResize)
  }

  /** Removes the live block. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#stream.off('resize', this.#onResize)
    this.#block.clear()
  }

  /** Writes a permanent line above the live block. */
  print(message: string): void {
    this.#block.print(message)
  }

  #show(): void {
    const progress = this.#read()
    if (this.#live) this.#block.draw(progressLines(progress, this.#block.size()))
    else this.#showPlain(progress)
  }

  #showPlain(progress: RunProgress): void {
    const { elapsedSeconds } = progress
    if (elapsedSeconds < this.#plainAtSeconds) return
    this.#plainAtSeconds = elapsedSeconds + Math.min(plainEveryMaxMs / 1000, elapsedSeconds * plainShare)
    this.#stream.write(`${terminalText(progressLine(progress))}\n`)
  }
}
