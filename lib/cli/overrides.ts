/** The overrides of a command line, `--set a.b=value`. */

/** Whether the field, a part of it, or a parent of it is set on the command line. */
export function isSet(overrides: readonly string[], path: string): boolean {
  return overrides.some((override) => {
    const given = override.slice(0, Math.max(0, override.indexOf('='))).replace(/\.(\d+)(?=\.|$)/g, '[$1]')
    return (
      [`${given}.`, `${given}[`].some((start) => path.startsWith(start)) ||
      given === path ||
      given.startsWith(`${path}.`)
    )
  })
}
