/** The prediction of a run for people, and its warnings: low yield, cut-off replies, a filter that drops nearly all. */

import { duration } from '../../language/duration.js'
import { grouped } from '../../language/grouped.js'
import { say } from '../../language/say.js'
import type { Counters } from '../../run/accounting.js'
import { bytesText } from '../terminal/bytes-text.js'
import type { Check } from './check.js'
import type { Forecast, Range } from './forecast.js'

/** Shares from which a warning is given. */
const dropShareMax = 0.8
const yieldShareMin = 0.05
const cutOffShareMax = 0.05

export function forecastLines(forecast: Forecast): string[] {
  const { recordsSampled, documentsExact, documents, chunks, rows, tokens, hours, gpuHours, cost, bytes } = forecast
  const figure = (name: string, range: Range, shown: (value: number) => string) =>
    say`  ${name.padEnd(columnChars - wideChars(name))} ${shown(range.value)}, from ${shown(range.low)} to ${shown(range.high)}`
  const whole = (value: number) => grouped(Math.round(value))
  const hoursText = (value: number) => duration(value * 3600)
  return [
    say`Predicted from ${recordsSampled} records, spread over the shards, that went through every stage:`,
    documentsExact
      ? say`  documents read ${whole(documents.value)} (counted)`
      : figure(say`documents read`, documents, whole),
    figure(say`chunks made`, chunks, whole),
    figure(say`rows written`, rows, whole),
    figure(say`reply tokens`, tokens, whole),
    figure(say`time`, hours, hoursText),
    figure(say`GPU hours`, gpuHours, (value) => value.toFixed(1)),
    ...(cost === null ? [] : [figure(say`cost`, cost, (value) => value.toFixed(2))]),
    figure(say`bytes on disk`, bytes, bytesText),
    say`Ranges: 95 % of 1,000 bootstrap resamples of these records. Time is at the sample's ${Math.round(forecast.tokensPerSecond)} tokens per second, which a long run usually exceeds. Duplicates of records outside of the sample are not seen: rows, tokens and time are upper limits for a corpus that repeats itself.`,
  ]
}

/** A line of a label and its figure. */
export function labelled(label: string, text: string): string {
  return `  ${label.padEnd(columnChars - wideChars(label))} ${text}`
}

const columnChars = 16

/** Columns that Chinese characters take beyond one each. */
function wideChars(text: string): number {
  return text.match(/\p{Script=Han}/gu)?.length ?? 0
}

/** Returns warnings about the sample. */
export function forecastChecks(counters: Counters): Check[] {
  const all = Object.entries(counters)
  return all.flatMap(([split, own]) => [
    ...documentWarnings(split, own),
    ...stageWarnings(split, own),
    ...yieldWarnings(split, own),
  ])
}

type Split = Counters[string]

function warning(finding: string, subject: string, facts: Check['facts'], line: string): Check {
  return { check: 'sample', level: 'warn', subject, finding, facts, line }
}

function documentWarnings(split: string, { documents, documentRejects }: Split): Check[] {
  return Object.entries(documentRejects).flatMap(([stage, reasons]) =>
    Object.entries(reasons)
      .filter(([, count]) => documents > 0 && count / documents >= dropShareMax)
      .map(([reason, count]) =>
        warning(
          'drops-nearly-all',
          split,
          { stage, reason, count, of: documents },
          say`${split}: ${reason} (${stage}) drops ${count} of ${documents} documents: check the source, and its bound in prepare.quality`,
        ),
      ),
  )
}

function stageWarnings(split: string, { stages, chunkRejects, attemptRejects }: Split): Check[] {
  const dropping = Object.entries(stages).flatMap(([stage, counts]) => {
    if (stage === 'documents' || stage === 'chunks' || stage === 'dedup') return []
    return Object.entries(counts.dropped)
      .filter(([, count]) => counts.in > 0 && count / counts.in >= dropShareMax)
      .map(([reason, count]) =>
        warning(
          'drops-nearly-all',
          split,
          { stage, reason, count, of: counts.in },
          say`${split}: ${stage} drops ${count} of ${counts.in} records as ${reason}: check its threshold, filter and prompt in kun.${stage}`,
        ),
      )
  })
  const asked = stages.label?.in ?? 0
  const cut = [chunkRejects, attemptRejects]
    .flatMap((rejects) => Object.values(rejects))
    .reduce((sum, reasons) => sum + (reasons['cut-off-reply'] ?? 0) + (reasons['context-length'] ?? 0), 0)
  if (asked === 0 || cut / asked < cutOffShareMax) return dropping
  return [
    ...dropping,
    warning(
      'truncation',
      split,
      { count: cut, of: asked },
      say`${split}: ${cut} of ${asked} records were cut off or too long for the model: raise sampling.max_tokens, lower prepare.chunk.tokensMax, or serve a longer context`,
    ),
  ]
}

function yieldWarnings(split: string, { chunks, rows }: Split): Check[] {
  if (chunks === 0 || rows / chunks >= yieldShareMin) return []
  const facts = { rows, chunks }
  return [
    warning(
      'low-yield',
      split,
      facts,
      say`${split}: ${rows} rows of ${chunks} chunks: look at the rejects of a trial (run --sample 20) before a long run`,
    ),
  ]
}
