/** Durations in messages. */
import { say } from './say.js'

/** Formats seconds: 45 s, 12 min, 3 h 05 min, 2 d 4 h. */
export function duration(seconds: number): string {
  if (seconds < 90) return secondsText(Math.max(1, Math.round(seconds)))
  const minutes = Math.round(seconds / 60)
  if (minutes < 90) return say`${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return say`${hours} h ${String(minutes % 60).padStart(2, '0')} min`
  return say`${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** Formats seconds as they are: 3.9 s. */
export function secondsText(seconds: number | string): string {
  return say`${seconds} s`
}
