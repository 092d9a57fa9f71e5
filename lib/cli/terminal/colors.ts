/**
 * Whether output has colours: on a terminal that knows them, or where FORCE_COLOR asks for them. picocolors alone also
 * colours what a program reads from a pipe wherever the variable CI is set, and `status | grep` then finds nothing.
 */
import picocolors from 'picocolors'

type Environment = Readonly<Record<string, string | undefined>>

/** https://no-color.org and https://force-color.org: either counts when it is not empty, and NO_COLOR first. */
export function hasColors(environment: Environment, output: { readonly isTTY?: boolean }): boolean {
  if (environment.NO_COLOR) return false
  if (environment.FORCE_COLOR) return environment.FORCE_COLOR !== '0'
  return output.isTTY === true && environment.TERM !== 'dumb'
}

export const pc = picocolors.createColors(hasColors(process.env, process.stdout))
