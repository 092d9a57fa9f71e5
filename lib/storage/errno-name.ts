/** Name of the system error behind an error of Node. */

import { constants } from 'node:os'
import { errorCode } from '../caught-error.js'

const names: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, number]) => [Math.abs(number), name]),
)

/**
 * Returns 'ENOENT', 'ESTALE' …; null if the error is not one of the system. Node has no name for some errors and gives
 * `Unknown system error -116` as their code: ESTALE, EDQUOT, ENOLCK and EOPNOTSUPP are among them.
 */
export function errnoName(error: unknown): string | null {
  const code = errorCode(error)
  if (code === undefined) return null
  const number = /^Unknown system error -?(\d+)$/.exec(code)?.[1]
  return number === undefined ? code : (names.get(Number(number)) ?? code)
}
