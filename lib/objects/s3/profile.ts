/** The profile files of AWS: `~/.aws/credentials` and `~/.aws/config`, as its command line writes them. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { errorCode, errorMessage } from '../../caught-error.js'
import { StoreAccessError } from '../../errors.js'
import { say } from '../../language/say.js'

type Environment = Readonly<Record<string, string | undefined>>

/** Settings of a profile by name; those of a nested section as `s3.addressing_style`. */
export type Profile = Readonly<Record<string, string>>

/**
 * Returns the profile that AWS_PROFILE names, `default` without it; the credentials file comes first. Empty if there is
 * no such file.
 *
 * @throws {StoreAccessError} AWS_PROFILE names a profile that no file has, or a file cannot be read
 */
export function readProfile(environment: Environment): Profile {
  const chosen = environment.AWS_PROFILE?.trim() || undefined
  const name = chosen ?? 'default'
  const folder = join(environment.HOME?.trim() || homedir(), '.aws')
  const credentials = environment.AWS_SHARED_CREDENTIALS_FILE ?? join(folder, 'credentials')
  const config = environment.AWS_CONFIG_FILE ?? join(folder, 'config')
  const sections = [
    sectionsOf(config).get(`profile ${name}`),
    sectionsOf(config).get(name),
    sectionsOf(credentials).get(name),
  ]
  if (chosen !== undefined && sections.every((section) => section === undefined)) {
    throw new StoreAccessError(
      say`AWS_PROFILE is ${chosen}, but neither ${credentials} nor ${config} has a profile of that name`,
    )
  }
  return Object.assign({}, ...sections)
}

/** INI: `[section]`, `name = value`; indented lines belong to the name above, which has no value. */
function sectionsOf(path: string): Map<string, Record<string, string>> {
  const sections = new Map<string, Record<string, string>>()
  let section: Record<string, string> | null = null
  let parent = ''
  for (const line of textOf(path).split(/\r?\n/)) {
    const heading = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line)?.[1]
    if (heading !== undefined) {
      section = sections.get(heading) ?? {}
      sections.set(heading, section)
      parent = ''
      continue
    }
    const [, indent, name, value] = /^(\s*)([^\s#;=][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (section === null || name === undefined || value === undefined) continue
    if (indent === '') parent = value === '' ? `${name}.` : ''
    section[indent === '' ? name : parent + name] = value
  }
  return sections
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return ''
    throw new StoreAccessError(say`cannot read ${path}: ${errorMessage(error)}`, { cause: error })
  }
}
