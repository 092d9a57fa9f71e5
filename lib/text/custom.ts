/**
 * Custom filters: modules whose default export decides on one document at a time. Workers load them by path. run.json
 * contains the hashes of a module and its imports, because they determine the output.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { errorMessage } from '../caught-error.js'
import { differences } from '../core/difference.js'
import { CustomFilterError, RecipeError } from '../errors.js'
import type { ModuleHashes } from './module-graph.js'

/** Input of a custom filter: the cleaned text and title, and the id of the record, '' when it has none. */
interface CustomDocument {
  readonly text: string
  readonly title: string
  readonly id: string
}

/** Returns true to keep the document, a string to reject it for that reason, { text } to replace its text. */
type CustomFilter = (document: CustomDocument) => true | string | { readonly text: string }

/** Location of a filter for workers, and the hashes that run.json pins. Plain data. */
export interface CustomFilterFile {
  /** Path as in the recipe. */
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly sha256: string
  /** Direct and transitive imports. */
  readonly imports: ModuleHashes
}

export interface LoadedFilter {
  readonly file: CustomFilterFile
  readonly filter: CustomFilter
}

/**
 * Finds and hashes the files without loading them.
 *
 * @param directory base of relative names
 * @throws {RecipeError} a file cannot be read
 */
export function findCustomFilters(names: readonly string[], directory: string): Promise<CustomFilterFile[]> {
  return Promise.all(
    names.map(async (name) => {
      const path = resolve(directory, name)
      try {
        return { name, path, ...(await hashesOf(path)) }
      } catch (cause) {
        throw new RecipeError(
          `prepare.filters: ${name} cannot be read (${errorMessage(cause)}). Check the path: it starts from ` +
            `the working directory, ${directory}.`,
          {
            cause,
            details: { name },
          },
        )
      }
    }),
  )
}

async function hashesOf(path: string): Promise<Pick<CustomFilterFile, 'sha256' | 'imports'>> {
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
  const { moduleGraph } = await import('./module-graph.js')
  return { sha256, imports: await moduleGraph(path) }
}

/** Loads a filter. @throws {CustomFilterError} the module does not load, has no default function, or changed since it was hashed */
export async function loadCustomFilter(file: CustomFilterFile): Promise<LoadedFilter> {
  const details = { file: file.name }
  const { sha256, imports } = await hashesOf(file.path)
  const { sha256: before, imports: importsBefore } = file
  const changed = differences({ [file.name]: before, ...importsBefore }, { [file.name]: sha256, ...imports }, 1)
  if (changed.length > 0) {
    throw new CustomFilterError(`${file.name} or a module of it changed during the run: ${changed[0]}`, {
      details,
    })
  }
  let loaded: { readonly default?: unknown }
  try {
    loaded = (await import(`${pathToFileURL(file.path).href}?sha256=${sha256}`)) as { readonly default?: unknown }
  } catch (cause) {
    throw new CustomFilterError(`${file.name} does not load: ${errorMessage(cause)}`, { cause, details })
  }
  if (typeof loaded.default !== 'function') {
    throw new CustomFilterError(
      `${file.name} has no function as default export, but ${typeof loaded.default}: export default (document) => true`,
      { details },
    )
  }
  return { file, filter: loaded.default as CustomFilter }
}

/** Calls the filter. @throws {CustomFilterError} the filter throws, or returns something else than a CustomFilter may */
export function applyCustomFilter(
  loaded: LoadedFilter,
  document: CustomDocument,
  place: string,
): true | string | { readonly text: string } {
  const { name } = loaded.file
  const details = { file: name, document: place }
  let returned: unknown
  try {
    returned = loaded.filter(document)
  } catch (cause) {
    throw new CustomFilterError(`${name} threw at ${place}: ${errorMessage(cause)}`, { cause, details })
  }
  if (returned === true) return true
  if (typeof returned === 'string' && returned !== '') return returned
  if (typeof returned === 'object' && returned !== null && 'text' in returned && typeof returned.text === 'string') {
    return { text: returned.text }
  }
  throw new CustomFilterError(
    `${name} returned ${describe(returned)} at ${place}: return true to keep, a reason to drop, or { text } to replace`,
    { details },
  )
}

/** Detail of a reject by a custom filter. */
export function customDetail(file: CustomFilterFile): string {
  return `by ${basename(file.name)}`
}

function describe(returned: unknown): string {
  if (returned instanceof Promise) return 'a promise (filters are synchronous)'
  return typeof returned === 'object' && returned !== null
    ? 'an object without a text'
    : (JSON.stringify(returned) ?? 'undefined')
}
