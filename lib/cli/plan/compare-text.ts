/** A comparison for people: figures of both recipes, then chunks with both outcomes below each other. */
import { say } from '../../language/say.js'
import type { ComparedChunk, Comparison, Outcome, Side } from './compare-recipes.js'

/** Characters of a text that are shown. */
const shownCharsMax = 160
const reasonsMax = 3

/** @param shown chunks to show: those that became a row in one recipe, first those with other outcomes */
export function comparisonText({ records, a, b, chunks }: Comparison, shown: number): string {
  const number = (value: number | null, digits = 0) =>
    value === null ? '-' : value.toLocaleString('en-US', { maximumFractionDigits: digits })
  const line = (name: string, of: (side: Side) => string) => `  ${padded(name, 26)}${padded(of(a), 22)}${of(b)}`
  const reasons = (side: Side) =>
    side.rejects
      .slice(0, reasonsMax)
      .map(({ stage, reason, count }) => `  ${padded(side === a ? 'A' : 'B', 4)}${count} ${stage} ${reason}`)
  const written = chunks.filter((each) => isRow(each.a) || isRow(each.b))
  const ordered = [...written.filter((each) => !isSame(each)), ...written.filter(isSame)].slice(0, shown)
  return [
    say`${records} records through both recipes, A and B`,
    line('', (side) => `${side === a ? 'A' : 'B'} ${side.name}`),
    line(say`documents read`, ({ documents }) => number(documents)),
    line(say`chunks made`, (side) => number(side.chunks)),
    line(say`rows written`, ({ rows }) => number(rows)),
    line(say`mean score`, ({ score }) => number(score, 2)),
    line(say`characters: instruction`, ({ instructionChars }) => number(instructionChars)),
    line(say`characters: output`, ({ outputChars }) => number(outputChars)),
    line(say`seconds taken`, ({ seconds }) => number(seconds, 1)),
    line(say`reply tokens for each row`, ({ tokensPerRow }) => number(tokensPerRow)),
    line(say`GPU seconds for each row`, ({ gpuSecondsPerRow }) => number(gpuSecondsPerRow, 2)),
    ...(a.costPerRow === null && b.costPerRow === null
      ? []
      : [line(say`cost of each row`, ({ costPerRow }) => number(costPerRow, 5))]),
    say`most frequent rejects`,
    ...reasons(a),
    ...reasons(b),
    ...ordered.flatMap(chunkLines),
  ].join('\n')
}

function chunkLines({ raw, a, b }: ComparedChunk): string[] {
  return ['', `  ${cut(raw)}`, `  A ${outcomeText(a)}`, `  B ${outcomeText(b)}`]
}

function outcomeText(outcome: Outcome | null): string {
  if (outcome === null) return say`no such chunk`
  if (!isRow(outcome)) return say`rejected by ${outcome.stage}: ${outcome.reason}`
  const score = outcome.score === null ? '' : `${outcome.score.toFixed(2)} `
  return `${score}${cut(outcome.instruction)}\n    → ${cut(outcome.output)}`
}

function isRow(outcome: Outcome | null): outcome is Extract<Outcome, { instruction: string }> {
  return outcome !== null && 'instruction' in outcome
}

function isSame({ a, b }: ComparedChunk): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function cut(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > shownCharsMax ? `${line.slice(0, shownCharsMax)}…` : line
}

/** Pads to a width in columns: a Chinese character takes two. */
function padded(text: string, columns: number): string {
  const wide = text.match(/[\u3000-\u9fff\uff00-\uffef]/g)?.length ?? 0
  return text + ' '.repeat(Math.max(1, columns - text.length - wide))
}
