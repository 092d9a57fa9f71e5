/**
 * Progress of a run on stderr: on a terminal a live block with a line per stage, elsewhere a plain line every few
 * seconds.
 */

import type { WriteStream } from 'node:tty'
import pc from 'picocolors'
import stringWidth from 'string-width'
import { duration } from '../../core/duration.js'
import { terminalText } from './terminal-text.js'

interface ProgressStage {
  readonly name: string
  readonly in: number
  readonly out: number
  readonly inFlight: number
  /** What the stage waits for: another stage, or 'servers'; '' while it works. */
  readonly waitingOn: string
  /** The stage that limits the run. */
  readonly isBottleneck: boolean
}

export interface ProgressState {
  readonly stages: readonly ProgressStage[]
  /** A line per model server. A narrow terminal shows only its beginning. */
  readonly endpoints: readonly string[]
  /** Stage that limits the run, or 'model servers'. */
  readonly bottleneck: string
  /** Bytes of shards read, including those read by earlier calls of `run`. */
  readonly readBytes: number
  /** Bytes of all shards; null if unknown. */
  readonly totalBytes: number | null
  /** Tokens received so far. */
  readonly tokens: number
  /** Null for a graph without cuts. */
  readonly cuts: number | null
  readonly note: string
}

const liveEveryMs = 250
const plainEveryMs = 5000
/** Minimum width of a line; a narrower terminal wraps it. */
const columnsMin = 20
/** Window over which rates are computed. */
const rateWindowMs = 10_000

interface Sample {
  readonly atMs: number
  readonly out: ReadonlyMap<string, number>
  readonly tokens: number
  readonly readBytes: number
}

export class Progress {
  readonly #read: () => ProgressState
  readonly #stream: WriteStream
  #timer: NodeJS.Timeout | null = null
  /** Width in cells of each line of the live block on the terminal. */
  #shown: readonly number[] = []
  readonly #samples: Sample[] = []
  readonly #live: boolean

  constructor(read: () => ProgressState, stream: WriteStream = process.stderr) {
    this.#read = read
    this.#stream = stream
    this.#live = stream.isTTY === true && process.env.TERM !== 'dumb'
  }

  start(): void {
    this.#sample(this.#read())
    this.#timer = setInterval(() => this.#show(), this.#live ? liveEveryMs : plainEveryMs)
    this.#timer.unref()
  }

  /** Removes the live block. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#erase()
  }

  /** Writes a permanent line above the live block. */
  print(message: string): void {
    this.#erase()
    this.#stream.write(terminalText(`${message}\n`))
  }

  #show(): void {
    const state = this.#read()
    const first = this.#sample(state)
    if (!this.#live) {
      this.#stream.write(terminalText(`${plainLine(state, first)}\n`))
      return
    }
    const lines = liveLines(state, first, Math.max(columnsMin, this.#columns())).map(terminalText)
    this.#erase()
    this.#stream.write(`${lines.join('\n')}\n`)
    this.#shown = lines.map((line) => stringWidth(line))
  }

  /** Counts rows, not lines: a terminal that became narrower has wrapped the lines of the block. */
  #erase(): void {
    const columns = this.#columns()
    const rows = this.#shown.reduce((sum, cells) => sum + Math.max(1, Math.ceil(cells / columns)), 0)
    // \r, because the cursor may be after a ^C. Row by row, because tmux copies a region that is erased as a whole.
    if (rows > 0) this.#stream.write(`\r\x1b[2K${'\x1b[1A\x1b[2K'.repeat(rows)}`)
    this.#shown = []
  }

  #columns(): number {
    return this.#stream.columns || 80
  }

  /** @returns the oldest sample within the window */
  #sample(state: ProgressState): Sample {
    const atMs = performance.now()
    const out = new Map(state.stages.map((stage) => [stage.name, stage.out]))
    this.#samples.push({ atMs, out, tokens: state.tokens, readBytes: state.readBytes })
    while (this.#samples.length > 2 && atMs - (this.#samples[0] as Sample).atMs > rateWindowMs) this.#samples.shift()
    return this.#samples[0] as Sample
  }
}

function liveLines(state: ProgressState, first: Sample, columns: number): string[] {
  const rate = rateSince(first)
  const head = `  ${'stage'.padEnd(9)}${'in'.padStart(11)}${'out'.padStart(11)}${'rate'.padStart(10)}${'active'.padStart(8)}  waiting for`
  const stages = state.stages.map((stage) => {
    const perSecond = rate(stage.out - (first.out.get(stage.name) ?? 0))
    const figures = `${count(stage.in)}${count(stage.out)}${`${short(perSecond)}/s`.padStart(10)}${short(stage.inFlight).padStart(8)}`
    const line = `  ${stage.name.padEnd(9)}${figures}  ${stage.waitingOn}`.slice(0, columns - 1)
    return stage.isBottleneck ? pc.yellow(line) : line
  })
  const servers = state.endpoints.map((line) => {
    const shown = `  ${line}`.slice(0, columns - 1)
    return state.bottleneck === 'model servers' ? pc.yellow(shown) : shown
  })
  return [pc.dim(head.slice(0, columns - 1)), ...stages, ...servers, pc.dim(fitted(parts(state, first), columns - 1))]
}

function plainLine(state: ProgressState, first: Sample): string {
  const stages = state.stages.map(({ name, out }) => `${name} ${out.toLocaleString('en-US')}`).join(' · ')
  return [stages, ...parts(state, first), ...state.endpoints].join(' · ')
}

/** Joins the parts that fit, in order; omits a part that does not. */
function fitted(all: readonly string[], cells: number): string {
  let line = `  ${all[0] ?? ''}`
  for (const part of all.slice(1)) if (line.length + 3 + part.length <= cells) line += ` · ${part}`
  return line.slice(0, cells)
}

function parts(state: ProgressState, first: Sample): string[] {
  const rate = rateSince(first)
  const bytesPerSecond = rate(state.readBytes - first.readBytes)
  const tokens = `${short(rate(state.tokens - first.tokens))} tokens/s`
  const cuts = state.cuts === null ? [] : [`${state.cuts} ${state.cuts === 1 ? 'cut' : 'cuts'}`]
  const parts = [tokens, ...cuts, `bottleneck ${state.bottleneck}`]
  if (state.totalBytes !== null && state.totalBytes > 0) {
    parts.unshift(`${Math.min(100, (100 * state.readBytes) / state.totalBytes).toFixed(1)} % read`)
    const leftBytes = state.totalBytes - state.readBytes
    if (bytesPerSecond > 0 && leftBytes > 0) parts.push(`about ${duration(leftBytes / bytesPerSecond)} to go`)
  }
  if (state.note !== '') parts.push(state.note)
  return parts
}

function rateSince(first: Sample): (amount: number) => number {
  const seconds = Math.max(0.001, (performance.now() - first.atMs) / 1000)
  return (amount) => Math.max(0, amount) / seconds
}

function count(value: number): string {
  return value.toLocaleString('en-US').padStart(11)
}

/** Three significant digits. Examples: 950, 12.3k, 4.5M. */
export function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}M`
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)}k`
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1)
}
