/** Parses and formats sizes and durations with a unit: '64MiB' as bytes, '30s' as milliseconds. */

const bytesOf: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

const millisecondsOf: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1e3,
  min: 60e3,
  h: 3600e3,
  d: 86_400e3,
}

export type Unit = 'bytes' | 'ms'

/** Returns null if the text is not a number with a unit. Examples: '1.5GiB' → 1610612736, '5min' → 300000. */
export function parseUnit(text: string, unit: Unit): number | null {
  const match = /^(\d{1,15}(?:\.\d{1,6})?) ?([A-Za-z]{1,3})$/.exec(text.trim())
  const factor = tables[unit][match?.[2] ?? '']
  return match === null || factor === undefined ? null : Math.round(Number(match[1]) * factor)
}

/** Formats with the largest unit that leaves a whole number. Example: 67108864 → '64MiB'. */
export function formatUnit(value: number, unit: Unit): string {
  const units =
    unit === 'bytes' ? ['TiB', 'GiB', 'MiB', 'KiB', 'TB', 'GB', 'MB', 'kB', 'B'] : ['d', 'h', 'min', 's', 'ms']
  const name = units.find((each) => value >= factorOf(unit, each) && value % factorOf(unit, each) === 0)
  return name === undefined ? String(value) : `${value / factorOf(unit, name)}${name}`
}

/** Returns a pattern of the texts that `parseUnit` accepts. */
export function unitPattern(unit: Unit): string {
  return `^\\s*\\d{1,15}(\\.\\d{1,6})? ?(${Object.keys(tables[unit]).join('|')})\\s*$`
}

/** Allowed values in words. */
export const allowedForms: Readonly<Record<Unit, string>> = {
  bytes: 'a size such as 64MiB',
  ms: 'a duration such as 30s or 5min',
}

/** The unit in a field's name: bytes of 'blockBytes' and 'rowGroupBytesMax', ms of 'deadlineMs' and 'outageMaxMs'. */
export function unitOfName(name: string): Unit | null {
  if (/(?:^b|B)ytes(?:Max|Min)?$/.test(name)) return 'bytes'
  return /[a-z]Ms(?:Max|Min)?$/.test(name) ? 'ms' : null
}

const tables = { bytes: bytesOf, ms: millisecondsOf }

function factorOf(unit: Unit, name: string): number {
  return tables[unit][name] as number
}
