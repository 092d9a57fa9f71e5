/** Formats sizes and counts for people. */
import { translated } from '../../language/say.js'

/** Examples: '1 cut', '12,000 cuts'. An irregular plural is given as `many`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${translated(count === 1 ? one : many)}`
}

/** Decimal units, as on the Hub. Example: '1.5 GB'. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${units[unit]}`
}
