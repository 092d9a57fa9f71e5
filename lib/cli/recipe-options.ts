/** Options of the commands that take a recipe: `--out`, and overrides of fields, `--set a.b=value`. */
import { Option } from 'commander'

export interface RecipeFlags {
  readonly out?: string
  readonly set: string[]
}

export function outOption(): Option {
  return new Option('--out <dir>', 'run directory, in place of output.dir')
}

export function setOption(): Option {
  return new Option('--set <path=value>', 'override a field: kun.score.keepAtLeast=0.4 (repeatable)')
    .argParser(collect)
    .default([], 'none')
}

/** Parses an option that may be given several times. */
export function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value]
}

/** Whether the field, a part of it, or a parent of it is overridden. */
export function isOverridden(overrides: readonly string[], path: string): boolean {
  return overrides.some((override) => {
    const given = override.slice(0, Math.max(0, override.indexOf('='))).replace(/\.(\d+)(?=\.|$)/g, '[$1]')
    return (
      [`${given}.`, `${given}[`].some((start) => path.startsWith(start)) ||
      given === path ||
      given.startsWith(`${path}.`)
    )
  })
}
