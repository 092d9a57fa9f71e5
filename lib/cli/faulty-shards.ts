/** Formats shards that cannot be read, for `plan` and `run`. */
import { say } from '../language/say.js'
import { countText } from './terminal/bytes-text.js'

export interface FaultyShard {
  readonly path: string
  /** A stable word, the reason of the reject. */
  readonly reason: string
  readonly detail: string
}

const faultyShownMax = 5

/** Example of a line: 'b.jsonl: shard-missing, there is nothing at that path (ENOENT)'. */
export function faultyLines(faulty: readonly FaultyShard[]): string[] {
  if (faulty.length === 0) return []
  const shown = faulty.slice(0, faultyShownMax)
  const more = faulty.length - shown.length
  return [
    faulty.length === 1
      ? say`1 shard cannot be read and becomes one reject each:`
      : say`${countText(faulty.length, 'shard')} cannot be read and become one reject each:`,
    ...shown.map(({ path, reason, detail }) => `  ${path}: ${reason}, ${detail}`),
    ...(more > 0 ? [say`  and ${more} more`] : []),
  ]
}
