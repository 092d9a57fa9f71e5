/** Classifies finish reasons: how a reply ended and whether it is whole. */
import { keysOf } from '../../core/objects.js'
import { asObject } from './json.js'

/** Complete, cut off at a token limit, withheld by a filter, aborted by the server, or none of these. */
export type Ending = 'whole' | 'cut-off' | 'filtered' | 'aborted' | 'unfinished'

/** Stored if the server gave no reason. */
export const missingReason = 'missing'

/** Characters of a reason that are stored. */
const reasonCharsMax = 60

/** In lower case, letters and digits only. */
const endings: Readonly<Record<Exclude<Ending, 'unfinished'>, RegExp>> = {
  whole:
    /^(?:stop|stopped|stopsequence|stopstring|stopword|stoptoken|stopcriteria|eos|eostoken|eosfound|eot|eottoken|endturn|endofturn|endoftext|end|complete|completed|done|finish|finished|normal|finishreasonstop)$/,
  'cut-off':
    /^(?:length|maxlength|maxtokens|maxoutputtokens|maxnewtokens|maxcompletiontokens|modellength|tokenlimit|tokenlimitreached|contextlength|contextlimit|modelcontextwindowexceeded|truncated|limit|finishreasonmaxtokens)$/,
  filtered:
    /filter|sensitive|moderat|safety|recitation|blocklist|prohibited|spii|risk|refus|guardrail|policy|violat|blocked|inspection/,
  aborted:
    /abort|cancel|interrupt|error|fail|timeout|timedout|insufficientsystemresource|preempt|disconnect|evict|overload/,
}

/** Returns the reason to store: the server's own word, or `missingReason` if it is null, absent or empty. */
export function finishReason(value: unknown): string {
  const said = typeof value === 'object' ? asObject(value).type : value
  const known = typeof said === 'string' || typeof said === 'number' || typeof said === 'boolean'
  const reason = known ? String(said).trim().slice(0, reasonCharsMax) : ''
  return reason === '' ? missingReason : reason
}

/** Classifies a reason. Unknown words, tool calls and a missing reason are 'unfinished': text may be missing. */
export function endingOf(reason: string): Ending {
  const normal = reason.toLowerCase().replace(/[^a-z0-9]/g, '')
  const found = keysOf(endings).find((ending) => endings[ending].test(normal))
  return found ?? 'unfinished'
}
