/**
 * The entry by which LLaMA-Factory finds a file of training data, in its dataset_info.json. Fields and defaults as its
 * data/README.md documents them.
 */

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, extname, relative, resolve, sep } from 'node:path'
import { errorCode } from '../caught-error.js'
import { isRecord } from '../core/objects.js'
import { UsageError } from '../errors.js'
import { say } from '../language/say.js'
import { nodeFiles, storageError, writeFileDurably } from '../storage/files.js'
import type { Form } from './forms.js'

/** Value of an entry, except for the name of the file. */
type Entry = Readonly<Record<string, unknown>>

/** Names of roles in a list of messages; those of a list of turns are the defaults. */
const messageTags = {
  role_tag: 'role',
  content_tag: 'content',
  user_tag: 'user',
  assistant_tag: 'assistant',
  system_tag: 'system',
}

/** Returns the entry for a form; null if LLaMA-Factory does not read the form. */
export function datasetEntry({ name, columns }: Pick<Form<never>, 'name' | 'columns'>): Entry | null {
  switch (name) {
    case 'messages':
      return { formatting: 'sharegpt', columns: { messages: 'messages' }, tags: messageTags }
    case 'sharegpt':
      return { formatting: 'sharegpt', columns: { messages: 'conversations' } }
    case 'alpaca': {
      const system = columns.some((column) => column.name === 'system') && { system: 'system' }
      return { columns: { prompt: 'instruction', query: 'input', response: 'output', ...system } }
    }
    case 'completion':
      return { columns: { prompt: 'prompt', response: 'completion' } }
    case 'dpo-text':
      return { ranking: true, columns: { prompt: 'prompt', chosen: 'chosen', rejected: 'rejected' } }
    case 'dpo-messages':
      return {
        formatting: 'sharegpt',
        ranking: true,
        columns: { messages: 'messages', chosen: 'chosen', rejected: 'rejected' },
        tags: messageTags,
      }
    case 'dpo':
      return null
  }
}

/**
 * Adds the entry of a file to a dataset_info.json, or replaces the one of the same name; other entries stay. The name is
 * that of the file without its extension.
 *
 * @returns the name of the entry
 * @throws {UsageError} the file exists and is not a JSON object
 */
export async function addDatasetEntry(path: string, file: string, entry: Entry): Promise<string> {
  const name = basename(file, extname(file))
  const before = await readInfo(path)
  const place = relative(dirname(resolve(path)), resolve(file))
    .split(sep)
    .join('/')
  const all = { ...before, [name]: { file_name: place, ...entry } }
  await writeFileDurably(nodeFiles, path, Buffer.from(`${JSON.stringify(all, null, 2)}\n`))
  return name
}

/** Returns the entries of a dataset_info.json; none if the file does not exist. @throws {UsageError} it is not one */
export async function readInfo(path: string): Promise<Readonly<Record<string, unknown>>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT' && existsSync(dirname(path))) return {}
    throw new UsageError(storageError('read', path, cause).message, { cause })
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isRecord(value)) return value
  } catch (cause) {
    throw new UsageError(say`${path} is not valid JSON: mend it, or name another file with --dataset-info`, { cause })
  }
  throw new UsageError(
    say`${path} is not a dataset_info.json: it is not a JSON object. Name another file with --dataset-info`,
  )
}
