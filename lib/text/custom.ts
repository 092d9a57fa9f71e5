/**
 * Filters of the user's own: a module whose default export looks at one document and says what becomes of it.
 * Loaded in the worker by path; its hash and those of what it imports go into run.json, since they alter the output.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { differences } from '../core/difference.js'
import { CustomFilterError, RecipeError } from '../errors.js'
import { type ModuleHashes, moduleGraph } from './module-graph.js'

/** What a filter of one's own is asked about: text and title as cleaned, `id` the record's own, '' when it has none. */
export interface CustomDocument {
  readonly text: string
  readonly title: string
  readonly id: string
}

/** true keeps the document; a string drops it and is the reason; { text } puts another text in its place. */
export type CustomFilter = (document: CustomDocument) => true | string | { readonly text: string }

/** Plain data: what a worker needs to load the filter, and what run.json pins. */
export interface CustomFilterFile {
  /** Path as in the recipe. */
  readonly name: string
  /** Absolute. */
  readonly path: string
  readonly sha256: string
  /** Modules that it imports, and those that they import. */
  readonly imports: ModuleHashes
}

export interface LoadedFilter {
  readonly file: CustomFilterFile
  readonly filter: CustomFilter
}

/**
 * Finds and hashes the files; loads none.
 *
 * @param directory what relative names start from
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
          `prepare.filters: ${name} cannot be read (${(cause as Error).message}). Check the path: it starts from ` +
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
  return { sha256, imports: await moduleGraph(path) }
}

/** @throws {CustomFilterError} the module does not load, has no default function, or changed since it was hashed */
export async function loadCustomFilter(file: CustomFilterFile): Promise<LoadedFilter> {
  const details = { file: file.name }
  const { sha256, imports } = await hashesOf(file.path)
  const { sha256: before, imports: importsBefore } = file
  const changed = differences({ [file.name]: before, ...importsBefore }, { [file.name]: sha256, ...imports }, 1)
  if (changed.length > 0) {
    throw new CustomFilterError(`${file.name} or a module of it changed while the run was under way: ${changed[0]}`, {
      details,
    })
  }
  let loaded: { readonly default?: unknown }
  try {
    loaded = (await import(`${pathToFileURL(file.path).href}?sha256=${sha256}`)) as { readonly default?: unknown }
  } catch (cause) {
    throw new CustomFilterError(`${file.name} does not load: ${messageOf(cause)}`, { cause, details })
  }
  if (typeof loaded.default !== 'function') {
    throw new CustomFilterError(
      `${file.name} has no function as default export, but ${typeof loaded.default}: export default (document) => true`,
      { details },
    )
  }
  return { file, filter: loaded.default as CustomFilter }
}

/** @throws {CustomFilterError} the filter throws, or answers something that is no outcome */
export function askCustomFilter(
  loaded: LoadedFilter,
  document: CustomDocument,
  place: string,
): true | string | { readonly text: string } {
  const { name } = loaded.file
  const details = { file: name, document: place }
  let answer: unknown
  try {
    answer = loaded.filter(document)
  } catch (cause) {
    throw new CustomFilterError(`${name} threw at ${place}: ${messageOf(cause)}`, { cause, details })
  }
  if (answer === true) return true
  if (typeof answer === 'string' && answer !== '') return answer
  if (typeof answer === 'object' && answer !== null && typeof (answer as { text?: unknown }).text === 'string') {
    return answer as { readonly text: string }
  }
  throw new CustomFilterError(
    `${name} answered ${describe(answer)} at ${place}: return true to keep, a reason to drop, or { text } to replace`,
    { details },
  )
}

/** Where the reason of a reject comes from when it is a filter of one's own. */
export function customDetail(file: CustomFilterFile): string {
  return `by ${basename(file.name)}`
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function describe(answer: unknown): string {
  if (answer instanceof Promise) return 'a promise (filters are synchronous)'
  return typeof answer === 'object' && answer !== null
    ? 'an object without a text'
    : (JSON.stringify(answer) ?? 'undefined')
}
