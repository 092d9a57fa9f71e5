/** Differences between two JSON values, by path, for messages. Pure. */
import { isRecord } from './objects.js'

/** Returns 'path was X, is Y' for each leaf that differs, in order of the keys; at most `limit` of them. */
export function differences(was: unknown, is: unknown, limit = 5): string[] {
  const found: string[] = []
  collect(plain(was), plain(is), '', limit, found)
  return found
}

function collect(was: unknown, is: unknown, at: string, limit: number, found: string[]): void {
  if (found.length >= limit) return
  if (isRecord(was) && isRecord(is)) {
    for (const key of [...new Set([...Object.keys(was), ...Object.keys(is)])].sort()) {
      collect(own(was, key), own(is, key), at === '' ? key : `${at}.${key}`, limit, found)
    }
    return
  }
  if (Array.isArray(was) && Array.isArray(is) && was.length === is.length) {
    for (const [i, value] of was.entries()) collect(value, is[i], `${at}[${i}]`, limit, found)
    return
  }
  const [before, after] = [JSON.stringify(was), JSON.stringify(is)]
  if (before !== after) found.push(`${at || 'it'} was ${short(before)}, is ${short(after)}`)
}

/** Returns the value as JSON would restore it: without undefined, dates as text. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

function own(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined
}

function short(json: string | undefined): string {
  if (json === undefined) return 'absent'
  return json.length > 100 ? `${json.slice(0, 100)}…` : json
}
