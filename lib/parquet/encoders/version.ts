/** The installed version of a package, as opposed to the range in package.json. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { errorCode } from '../../caught-error.js'
import { ContractError } from '../../errors.js'

/**
 * Returns the version of an installed package.
 *
 * @throws {ContractError} its package.json is missing
 */
export function installedVersion(name: string): string {
  // Its package.json is not always exported: go up from its entry.
  let folder = dirname(createRequire(import.meta.url).resolve(name))
  for (; folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = readManifestOf(join(folder, 'package.json'))
    if (manifest?.name === name && typeof manifest.version === 'string') return manifest.version
  }
  throw new ContractError(`the package ${name} has no package.json above its entry: install the packages again`)
}

function readManifestOf(path: string): { name?: unknown; version?: unknown } | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}
