/** The source of a new recipe: its files, their first records, and the fields that they have. */

import { stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { glob } from 'tinyglobby'
import { SourceNotFoundError, UsageError } from '../../errors.js'
import { listText } from '../../language/list-text.js'
import { say } from '../../language/say.js'
import { type FieldProposal, proposeFields } from '../../sources/field-proposal.js'
import { type FirstRecords, firstRecords } from '../../sources/first-records.js'
import { hubShards } from '../../sources/hub-shards.js'
import { localShards, type Shard } from '../../sources/index.js'
import { proposePreset } from '../../sources/preset-proposal.js'
import { isS3Glob, s3Shards } from '../../sources/s3-shards.js'
import { fieldNames, namesText } from '../../text/field-path.js'
import type { DraftFields } from './draft.js'

const dataFiles = '*.{jsonl,ndjson,json,parquet,arrow,jsonl.gz,jsonl.zst,jsonl.xz,json.gz,json.zst,tar.gz,tgz,tar}'
const notData = ['!**/node_modules/**', '!**/out/**', '!**/package*.json', '!**/tsconfig*.json', '!**/*.schema.json']
/** Files that a recipe lists one by one. */
const listedMax = 3
/** Whole records, whatever their fields. */
const wholeRecords = { text: '' }

/** A source that was looked at. */
export interface FoundSource {
  readonly hub: string | null
  readonly files: readonly string[]
  /** Of the matching files. */
  readonly shards: number
  readonly records: readonly Readonly<Record<string, unknown>>[]
  readonly proposal: FieldProposal
  readonly preset: string | null
}

/** Returns the data files below the working directory as globs; none if there are none. */
export async function filesHere(): Promise<string[]> {
  const found = await glob([dataFiles, `*/${dataFiles}`, `*/*/${dataFiles}`, ...notData], { cwd: process.cwd() })
  return asGlobs(found.sort())
}

/**
 * Reads the first records of a source.
 *
 * @param given files, folders and globs; of a dataset on the Hub: globs in its repository
 * @throws {SourceNotFoundError} no file matches, or none of the first records can be read
 */
export async function lookAtSource(
  hub: string | null,
  given: readonly string[],
  connection: { readonly token?: string | undefined; readonly hubUrl?: string | undefined },
): Promise<FoundSource> {
  const files = hub === null ? asGlobs(await withFolders(given)) : given.length > 0 ? given : [`**/${dataFiles}`]
  const { shards, close } = await shardsOf(hub, files, connection)
  try {
    const looked = await firstRecords(shards)
    const records = looked.flatMap((each) => each.records)
    if (records.length === 0) throw unreadable(shards, looked)
    const names = [hub ?? '', ...looked.map(({ path }) => path), ...files]
    const proposal = proposeFields(records)
    return { hub, files, shards: shards.length, records, proposal, preset: proposePreset(records, names) }
  } finally {
    await close()
  }
}

async function shardsOf(hub: string | null, files: readonly string[], connection: object) {
  const of = { split: 'train', files, mapping: wholeRecords }
  if (hub !== null) return hubShards({ ...of, ...connection, repo: hub })
  if (files.some(isS3Glob)) return s3Shards(of)
  return { shards: await localShards({ ...of, root: process.cwd() }), close: async () => undefined }
}

function unreadable(shards: readonly Shard[], looked: readonly FirstRecords[]): SourceNotFoundError {
  const rejected = shards.find(({ reject }) => reject != null)
  const fault = looked.flatMap(({ path, faults }) => faults.map(({ reason, detail }) => ({ path, reason, detail })))[0]
  const { path, reason, detail } = fault ?? { path: rejected?.path ?? '-', reason: '', detail: '', ...rejected?.reject }
  return new SourceNotFoundError(
    say`no record of the source can be read: ${path}: ${reason} ${detail}; kun-stream reads JSON Lines, JSON, Parquet, Arrow and tar (docs/shard-formats.md)`,
  )
}

/** Returns the fields for the recipe: those given, else those proposed. @throws {UsageError} the records lack a given field */
export function fieldsFor(
  { records, proposal, preset }: FoundSource,
  given: { readonly preset?: string; readonly text?: string; readonly id?: string; readonly title?: string },
): DraftFields {
  const names = [...new Set(records.flatMap((record) => fieldNames(record)))]
  for (const [option, name] of Object.entries({ text: given.text, id: given.id, title: given.title })) {
    if (name === undefined || names.includes(name) || records.some((record) => Object.hasOwn(record, name))) continue
    throw new UsageError(say`--${option} is ${name}: the first records have no such field, but ${namesText(names)}`)
  }
  const usedPreset = given.preset ?? (given.text === undefined ? preset : null)
  if (usedPreset !== null) {
    return { preset: usedPreset, text: null, id: given.id ?? null, title: given.title ?? null, evidence: null }
  }
  const text = given.text ?? proposal.texts[0]?.name
  if (text === undefined) {
    throw new UsageError(
      say`no field of the first records is a text; their fields are ${namesText(names)}: name it with --text`,
    )
  }
  const found = proposal.texts.find(({ name }) => name === text)
  return {
    preset: null,
    text,
    id: given.id ?? (proposal.id === text ? null : proposal.id),
    title: given.title ?? (proposal.title === text ? null : proposal.title),
    evidence: found === undefined ? null : { records: found.records, of: records.length, chars: found.chars },
  }
}

async function withFolders(given: readonly string[]): Promise<string[]> {
  const files = await Promise.all(
    given.map(async (each) => {
      const stats = await stat(each).catch(() => null) // localShards reports a path that does not exist
      return stats?.isDirectory()
        ? await glob([`**/${dataFiles}`, ...notData], { cwd: each, absolute: false }).then((found) =>
            found.map((name) => join(each, name)),
          )
        : [each]
    }),
  )
  const found = files.flat()
  if (found.length > 0) return found.sort()
  throw new SourceNotFoundError(
    say`${listText(given)} has no file of a known format: JSON Lines, JSON, Parquet, Arrow or tar`,
  )
}

/** Shortens a list of files, as a shell expands `data/*.jsonl`, to one glob for each folder and extension. */
function asGlobs(files: readonly string[]): string[] {
  if (files.length <= listedMax) return [...files]
  const globs = files.map((file) => (/[*?[\]{}!]/.test(file) ? file : globOf(file)))
  return [...new Set(globs)]
}

function globOf(file: string): string {
  const name = basename(file)
  const inner = /\.(jsonl?|ndjson|tar)\.(gz|zst|xz)$/.exec(name)?.[0] ?? extname(name)
  const folder = dirname(file)
  return folder === '.' ? `*${inner}` : `${folder}/*${inner}`
}
