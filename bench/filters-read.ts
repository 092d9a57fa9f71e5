/** Reads the labelled files of `bench filters`: JSON Lines of examples, or JSON objects of replies by key. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { UsageError } from '../lib/errors.js'
import { type Example, exampleOf } from './filters-examples.js'
import { keyedReplies } from './filters-shapes.js'
import { roses } from './filters-text.js'

/**
 * Returns the examples of the files, in order; of a folder those of its *.jsonl and *.json files by name.
 *
 * @throws {UsageError} a path cannot be read, or an example is not valid; the message names the file and the line or key
 */
export async function readLabelled(paths: readonly string[]): Promise<Example[]> {
  const examples: Example[] = []
  for (const path of paths) for (const file of await filesOf(path)) examples.push(...(await readExamples(file)))
  if (examples.length === 0) throw new UsageError(`no example in --labelled ${paths.join(', ')}`)
  return examples
}

async function filesOf(path: string): Promise<string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    const names = (await readdir(path)).filter((name) => /\.jsonl?$/.test(name)).sort()
    if (names.length > 0) return names.map((name) => join(path, name))
  } catch (cause) {
    throw new UsageError(`cannot read --labelled ${path}: ${(cause as Error).message}`, { cause })
  }
  throw new UsageError(`--labelled ${path} has no *.jsonl or *.json file`)
}

async function readExamples(file: string): Promise<Example[]> {
  const read = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new UsageError(`cannot read --labelled ${file}: ${cause.message}`, { cause })
  })
  const text = read.replace(/^\ufeff/, '')
  const name = basename(file).replace(/\.jsonl?$/, '')
  if (file.endsWith('.json')) return checked(file, () => keyedReplies(JSON.parse(text), name, roses))
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    const place = `${name}:${index + 1}`
    return [checked(`${file}:${index + 1}`, () => exampleOf(JSON.parse(line), place, roses))]
  })
}

function checked<T>(place: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause).replaceAll('\n', ' ') : (cause as Error).message
    throw new UsageError(`${place} is not a labelled example: ${why}`, { cause })
  }
}
