/** Formats the progress of a run: a block of lines that fits a window, and one full line for files and pipes. */

import { count, type Noun, nouns } from '../../language/count.js'
import { duration } from '../../language/duration.js'
import { grouped } from '../../language/grouped.js'
import { numbered, say, translated } from '../../language/say.js'
import type { RunProgress, ServerProgress, StageProgress } from '../../report/progress.js'
import { bytesText } from './bytes-text.js'
import { pc } from './colors.js'
import type { BlockSize } from './live-block.js'
import { textWidth } from './text-width.js'
import { printable, truncateText } from './wrap-text.js'

const serversShownMax = 4
const separator = ' · '
const indent = '  '

/**
 * Returns at most `lines` lines of at most `cells` cells. The figures of the summary are never cut: in a small window they
 * take more lines, and the table of stages is shortened or left out.
 */
export function progressLines(progress: RunProgress, { cells, lines }: BlockSize): string[] {
  const summary = flowed(summaryParts(progress), cells).slice(0, lines)
  const pair = lastPairLine(progress, cells)
  const servers = progress.servers.slice(0, serversShownMax).flatMap((each) => flowed([serverText(each)], cells))
  const table = stageTable(progress, cells)
  const isSlow = progress.bottleneck === 'servers'
  const shownServers = servers.map((line) => (isSlow ? pc.yellow(line) : line))
  const left = lines - summary.length
  const tails = [
    [...table, ...shownServers, ...summary, ...pair],
    [...table, ...summary, ...pair],
    [...summary, ...pair],
  ]
  return tails.find((each) => each.length <= lines) ?? (left > 0 ? [...summary, ...pair].slice(0, lines) : summary)
}

/** Returns one line with every figure, for a stream that is not a terminal. */
export function progressLine(progress: RunProgress): string {
  const stages = progress.stages.map((stage) => `${stage.name} ${unitCount(stage.out, outNoun(progress, stage))}`)
  return [...summaryParts(progress), ...stages, ...progress.servers.map(serverText)].join(separator)
}

/** The figures of a run, the most important ones first. */
function summaryParts(progress: RunProgress): string[] {
  const { estimate, rows, cuts, bottleneck, requestsPerSecond, tokensPerSecond, callsWaiting, retries } = progress
  const { doneShare, rowsExpected } = estimate
  const hasRows = progress.stages.at(-1)?.unitIn === 'attempt'
  const left = timeLeft(progress)
  return [
    ...(doneShare === null ? [] : [say`${(100 * doneShare).toFixed(1)} % done`]),
    ...(left === '' ? [] : [left]),
    ...(hasRows ? [rowsText(rows, rowsExpected)] : []),
    say`bottleneck: ${bottleneckText(bottleneck)}`,
    ...(progress.servers.length === 0
      ? []
      : [rateText(requestsPerSecond, 'request'), rateText(tokensPerSecond, 'token')]),
    ...(progress.readBytesPerSecond > 0 ? [say`${bytesText(Math.round(progress.readBytesPerSecond))}/s read`] : []),
    ...(cuts === null ? [] : [say`${count(cuts, 'cut')} committed`]),
    ...(callsWaiting > 0 ? [say`${grouped(callsWaiting)} calls waiting`] : []),
    ...(retries > 0 ? [say`${grouped(retries)} retries`] : []),
  ]
}

/** Example: 'about 12 min to go'. '' if the size of the input is unknown: no wait makes it known. */
function timeLeft({ estimate: { secondsLeft, reason } }: Pick<RunProgress, 'estimate'>): string {
  if (secondsLeft !== null) return say`about ${duration(secondsLeft)} to go`
  if (reason === 'warming-up') return say`estimating the time left`
  return reason === 'stalled' ? say`nothing finished for a minute` : ''
}

function rowsText(rows: number, expected: number | null): string {
  if (expected === null || expected <= rows) return count(rows, 'row')
  return say`${count(rows, 'row')} of about ${grouped(rounded(expected))}`
}

/** Two significant digits: more would be invented. */
function rounded(value: number): number {
  return Number(value.toPrecision(2))
}

/** Example: 'model servers'. */
function bottleneckText(bottleneck: string): string {
  return bottleneck === 'servers' ? translated('model servers') : bottleneck
}

/** The same within a sentence. Example: 'the model servers'. */
export function limitingText(bottleneck: string): string {
  return bottleneck === 'servers' ? translated('the model servers') : bottleneck
}

/** One line: the instruction, and as much of the output as fits. */
function lastPairLine({ lastPair }: RunProgress, cells: number): string[] {
  if (lastPair === null) return []
  const oneLine = (text: string): string => printable(text).replace(/\s+/g, ' ').trim()
  const text = say`last pair: ${oneLine(lastPair.instruction)} → ${oneLine(lastPair.output ?? '')}`
  return [pc.dim(truncateText(indent + text, cells))]
}

/** Example: 'localhost:8000: 412 of 512 requests in flight, 374 running, 38 waiting, KV cache 81 %' */
function serverText({ endpoint, inFlight, limit, down, figures }: ServerProgress): string {
  const host = URL.canParse(endpoint) ? new URL(endpoint).host : endpoint
  if (down) return say`${host}: down, retrying`
  if (figures === null) return say`${host}: ${inFlight} of ${limit} requests in flight`
  const { running, waiting, kvUsage } = figures
  const cache = kvUsage === null ? '?' : Math.round(100 * kvUsage)
  return say`${host}: ${inFlight} of ${limit} requests in flight, ${running} running, ${waiting} waiting, KV cache ${cache} %`
}

/** Joins parts to lines of at most `cells` cells; a part is broken only if it is longer than a line. */
function flowed(parts: readonly string[], cells: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const part of parts.flatMap((each) => pieces(each, cells - indent.length))) {
    const joined = line === '' ? indent + part : line + separator + part
    if (line !== '' && textWidth(joined) > cells) {
      lines.push(line)
      line = indent + part
    } else line = joined
  }
  return line === '' ? lines : [...lines, line]
}

/** Breaks a part that is longer than a line at its commas. */
function pieces(part: string, cells: number): string[] {
  if (textWidth(part) <= cells) return [part]
  return part.split(/(?<=[,，:：]) ?/).flatMap((piece) => (piece === '' ? [] : [truncateText(piece, cells)]))
}

interface Column {
  readonly head: string
  readonly cellsMin: number
  readonly right: boolean
  readonly of: (stage: StageProgress) => string
}

/** Cells between two columns. */
const gap = 2

/** A line per stage, with as many columns as fit. */
function stageTable(progress: RunProgress, cells: number): string[] {
  const { stages } = progress
  const columns: Record<string, Column> = {
    name: { head: translated('stage'), cellsMin: 8, right: false, of: ({ name }) => name },
    in: { head: translated('in'), cellsMin: 13, right: true, of: (stage) => inText(progress, stage) },
    out: {
      head: translated('out'),
      cellsMin: 13,
      right: true,
      of: (stage) => unitCount(stage.out, outNoun(progress, stage)),
    },
    rate: {
      head: translated('rate'),
      cellsMin: 12,
      right: true,
      of: (stage) => rateText(stage.perSecond, outNoun(progress, stage)),
    },
    active: {
      head: translated('active'),
      cellsMin: 6,
      right: true,
      of: ({ active }) => grouped(active),
    },
    waiting: { head: translated('waiting for'), cellsMin: 11, right: false, of: (stage) => waitingText(stage) },
  }
  let names = Object.keys(columns)
  for (const dropped of ['in', 'active', 'rate', 'waiting', '']) {
    const chosen = names.map((name) => columns[name] as Column)
    const widths = chosen.map(({ head, cellsMin, of }) =>
      Math.max(cellsMin, textWidth(head), ...stages.map((stage) => textWidth(of(stage)))),
    )
    const total = indent.length + widths.reduce((sum, width) => sum + width + gap, -gap)
    if (total <= cells) {
      const row = (texts: readonly string[]): string =>
        indent +
        texts.map((text, at) => padded(text, widths[at] as number, chosen[at]?.right ?? false)).join(' '.repeat(gap))
      const lines = stages.map((stage) => {
        const line = row(chosen.map(({ of }) => of(stage))).trimEnd()
        return stage.name === progress.bottleneck ? pc.yellow(line) : line
      })
      return [pc.dim(row(chosen.map(({ head }) => head)).trimEnd()), ...lines]
    }
    names = names.filter((name) => name !== dropped)
  }
  return []
}

function padded(text: string, cells: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, cells - textWidth(text)))
  return right ? space + text : text + space
}

function inText(progress: RunProgress, stage: StageProgress): string {
  const isSource = stage === progress.stages[0]
  return isSource ? '' : unitCount(stage.in, nounOf(stage === progress.stages.at(-1) ? 'item' : stage.unitIn))
}

function outNoun(progress: RunProgress, stage: StageProgress): Noun {
  return nounOf(stage === progress.stages.at(-1) ? 'item' : stage.unitOut)
}

/** The sink counts rejects too: records of any kind. */
function nounOf(unit: string): Noun {
  return ({ block: 'block', record: 'chunk', attempt: 'pair' } as const)[unit] ?? 'record'
}

function unitCount(value: number, noun: Noun): string {
  return count(value, noun)
}

/** Example: '12.3 requests/s' */
function rateText(perSecond: number, noun: Noun): string {
  return say`${numbered(short(perSecond), nouns[noun])}/s`
}

function waitingText({ waitingFor }: StageProgress): string {
  return waitingFor === 'servers' ? translated('model servers') : translated(waitingFor)
}

/** Three significant digits. Examples: 950, 12.3k, 4.5M. */
export function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)}M`
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)}k`
  return value >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1)
}
