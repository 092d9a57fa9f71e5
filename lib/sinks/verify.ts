/**
 * Checks a run directory without changing it: each part against its manifest line, ids, order, counters, and files that
 * no line names. The caller checks the meaning of the counters.
 */

import { join } from 'node:path'
import { dictionary, ownValue } from '../core/dictionary.js'
import { isRecord } from '../core/objects.js'
import { CorruptFileError, KunStreamError } from '../errors.js'
import type { Part } from '../parquet/part-reader.js'
import type { CutFile } from '../parquet/part-writer.js'
import { type FileLayer, nodeFiles, sha256Of, temporarySuffix } from '../storage/files.js'
import {
  dataFolder,
  lockName,
  manifestName,
  partFolders,
  partName,
  rejectsFolder,
  runRecordName,
} from '../storage/run-layout.js'
import { scanManifest } from './manifest.js'
import { lostLines } from './recover.js'
import { readRunRecord } from './run-directory.js'
import type { ManifestEntry } from './types.js'
import { IdSet, OrderCheck } from './verify-rows.js'

/** One defect. */
export interface Finding {
  /** An error: a durable file is damaged or missing. A warning: a leftover of a killed run, or a foreign file. */
  readonly severity: 'error' | 'warning'
  /** Relative to the run directory. */
  readonly file: string
  readonly what: string
  /** How to repair it. */
  readonly repair: string
}

/** Result of `verifyRun`. The dataset is whole if no finding is an error. */
export interface Verification {
  readonly findings: readonly Finding[]
  readonly cuts: number
  readonly files: number
  readonly bytes: number
  /** Rows found, by split. */
  readonly rows: Readonly<Record<string, number>>
  /** Rejects found, by split. */
  readonly rejects: Readonly<Record<string, number>>
}

/** Options for `verifyRun`; all optional. */
export interface VerifyOptions {
  readonly files?: FileLayer
  /** Checks other durable files of the directory, after the manifest was read. */
  readonly checkOthers?: (entries: readonly ManifestEntry[]) => Promise<readonly Finding[]>
  /** Compares the counters of the last cut with the rows and rejects that were found; returns the differences. */
  readonly checkCounters?: (last: ManifestEntry, seen: Pick<Verification, 'rows' | 'rejects'>) => readonly string[]
}

/**
 * Verifies a run directory. Reads all of it, which takes about as long as decoding the dataset. Memory: 8 bytes per
 * row, and one row group.
 */
export async function verifyRun(directory: string, options: VerifyOptions = {}): Promise<Verification> {
  const verifier = new Verifier(directory, options.files ?? nodeFiles)
  return verifier.run(options)
}

const rebuild =
  'restore it from a backup or a mirror, or rebuild the dataset from the kept replies (`kun-stream rebuild`)'

class Verifier {
  readonly #findings: Finding[] = []
  readonly #rows = dictionary<number>()
  readonly #rejects = dictionary<number>()
  readonly #ids = new IdSet()
  readonly #order = new Map<string, OrderCheck>()
  readonly #columns = new Map<string, string>()
  #bytes = 0
  readonly #directory: string
  readonly #files: FileLayer

  constructor(directory: string, files: FileLayer) {
    this.#directory = directory
    this.#files = files
  }

  async run({ checkCounters, checkOthers }: VerifyOptions): Promise<Verification> {
    await this.#checkRecord()
    const entries = await this.#checkManifest()
    const parts = entries.flatMap(({ files }) => files)
    for (const part of parts) await this.#guarded(part.path, () => this.#checkPart(part))
    await this.#checkIds(parts)
    const last = entries.at(-1)
    if (last !== undefined) {
      for (const what of checkCounters?.(last, { rows: this.#rows, rejects: this.#rejects }) ?? []) {
        this.#add('error', manifestName, what, rebuild)
      }
    }
    await this.#checkStrays(new Set(parts.map(({ path }) => path)), entries.length)
    this.#findings.push(...((await checkOthers?.(entries)) ?? []))
    const found = { rows: this.#rows, rejects: this.#rejects, bytes: this.#bytes }
    return { findings: this.#findings, cuts: entries.length, files: parts.length, ...found }
  }

  async #checkRecord(): Promise<void> {
    await this.#guarded(runRecordName, async () => {
      if ((await readRunRecord(this.#directory, this.#files)) !== null) return
      this.#add('error', runRecordName, 'it is missing: this is not a run directory, or it is incomplete', rebuild)
    })
  }

  async #checkManifest(): Promise<readonly ManifestEntry[]> {
    let entries: readonly ManifestEntry[] = []
    await this.#guarded(manifestName, async () => {
      const found = await scanManifest(this.#directory, this.#files)
      entries = found.entries
      if (found.lacksNewline) {
        this.#add('warning', manifestName, 'its last line has no newline', 'start the run again: it adds it')
      }
      if (found.tornBytes > 0) {
        const what = `its last ${found.tornBytes} bytes are an incomplete line, left by a crash`
        this.#add('warning', manifestName, what, 'start the run again: it truncates them and resumes')
      }
    })
    for (const [i, entry] of entries.entries()) {
      const before = entries[i - 1]
      if (before === undefined) continue
      for (const what of backward(before, entry)) this.#add('error', manifestName, `cut ${entry.cut}: ${what}`, rebuild)
    }
    return entries
  }

  async #checkPart(part: CutFile): Promise<void> {
    const { path, rows, bytes, sha256 } = part
    const size = await this.#files.sizeBytes(join(this.#directory, path))
    if (size === null) return this.#add('error', path, 'it is missing', rebuild)
    this.#bytes += size
    if (size !== bytes) return this.#add('error', path, `it has ${size} bytes, but ${bytes} were committed`, rebuild)
    if ((await sha256Of(this.#files, join(this.#directory, path), size)) !== sha256)
      return this.#add('error', path, 'its sha256 differs', rebuild)
    const { openPart } = await import('../parquet/part-reader.js')
    const file = await openPart(join(this.#directory, path), this.#files)
    try {
      if (file.rows !== rows) this.#add('error', path, `it has ${file.rows} rows, but ${rows} were committed`, rebuild)
      await this.#checkRows(part, file)
    } finally {
      await file.close()
    }
  }

  async #checkRows({ path, split }: CutFile, file: Part): Promise<void> {
    const folder = split === null ? rejectsFolder : dataFolder
    const columns = file.columns.join(', ')
    const others = this.#columns.get(folder)
    if (others !== undefined && others !== columns) {
      this.#add('error', path, `its columns are ${columns}, but those of other parts are ${others}`, rebuild)
    }
    this.#columns.set(folder, columns)
    const order = this.#order.get(split ?? '') ?? new OrderCheck()
    this.#order.set(split ?? '', order)
    let disorder: string | null = null
    const { rowsOf } = await import('../parquet/part-reader.js')
    for await (const row of rowsOf(file)) {
      const counts = split === null ? this.#rejects : this.#rows
      const name = split ?? String(row.split)
      counts[name] = (counts[name] ?? 0) + 1
      if (split !== null && typeof row.id === 'string') this.#ids.add(row.id)
      disorder ??= order.next(split === null ? `${name}/${row.shard}` : String(row.shard), row)
    }
    if (disorder !== null) this.#add('error', path, disorder, rebuild)
  }

  /** Compares 64 bits of each id; the whole ids are read only where these are equal. */
  async #checkIds(parts: readonly CutFile[]): Promise<void> {
    const suspects = this.#ids.repeated()
    if (suspects.size === 0) return
    const seen = new Map<string, string>()
    const { openPart, rowsOf } = await import('../parquet/part-reader.js')
    for (const { path, split } of parts) {
      if (split === null) continue
      await this.#guarded(path, async () => {
        const file = await openPart(join(this.#directory, path), this.#files)
        try {
          for await (const { id } of rowsOf(file)) {
            if (typeof id !== 'string' || !suspects.has(IdSet.key(id))) continue
            const first = seen.get(id)
            if (first !== undefined) this.#add('error', path, `id ${id} occurs again, first in ${first}`, rebuild)
            seen.set(id, path)
          }
        } finally {
          await file.close()
        }
      })
    }
  }

  async #checkStrays(named: ReadonlySet<string>, cuts: number): Promise<void> {
    const lost = new Set<number>()
    for (const folder of partFolders) {
      for (const name of await this.#files.list(join(this.#directory, folder))) {
        const path = `${folder}/${name}`
        if (named.has(path)) continue
        const part = partName.exec(name)
        const cut = Number(part?.groups?.cut ?? 0)
        if (cut > cuts && !lost.has(cut)) {
          lost.add(cut)
          this.#add('error', manifestName, lostLines(this.#directory, cuts, path).message, rebuild)
        } else if (part !== null)
          this.#add('warning', path, 'no manifest line names it', 'start the run again: it deletes it')
        else
          this.#add(
            'warning',
            path,
            'it does not belong to this run',
            'move it elsewhere: it would be published with the parts',
          )
      }
    }
    for (const name of await this.#files.list(this.#directory)) {
      if (name === lockName) {
        this.#add('warning', name, 'a run is in progress, or was killed', 'let it end, or start it again: it resumes')
      } else if (name.endsWith(temporarySuffix)) {
        this.#add('warning', name, 'it was not written to its end', 'start the run again: it deletes it')
      }
    }
  }

  /** Reports an error that a check throws as a finding. */
  async #guarded(file: string, check: () => Promise<void>): Promise<void> {
    try {
      await check()
    } catch (error) {
      if (!(error instanceof KunStreamError)) throw error
      const repair = error instanceof CorruptFileError ? rebuild : 'see the message, then verify again'
      this.#add('error', file, error.message, repair)
    }
  }

  #add(severity: Finding['severity'], file: string, what: string, repair: string): void {
    this.#findings.push({ severity, file, what, repair })
  }
}

/** Yields positions and counters that decrease from one cut to the next: all are cumulative. */
function* backward(before: ManifestEntry, after: ManifestEntry): Generator<string> {
  const pick = ({ blocks, dedupLogBytes, counters }: ManifestEntry): unknown => ({ blocks, dedupLogBytes, counters })
  yield* falling(pick(before), pick(after), '')
}

function* falling(before: unknown, after: unknown, at: string): Generator<string> {
  if (typeof before === 'number') {
    if (typeof after !== 'number' || after < before) yield `${at} went back from ${before} to ${String(after)}`
  } else if (typeof before === 'object' && before !== null) {
    // Counts of equal parts are lists.
    const next = Array.isArray(after) ? Object.fromEntries(after.entries()) : isRecord(after) ? after : {}
    for (const [key, value] of Object.entries(before))
      yield* falling(value, ownValue(next, key), at === '' ? key : `${at}.${key}`)
  }
}
