/** The files that a branch contains after a publish: their names, and the operations that add and delete files. */
import { createHash } from 'node:crypto'
import { UsageError } from '../errors.js'
import type { Operation } from '../hub/dataset.js'
import type { HubFileEntry } from '../hub/file.js'
import { say } from '../language/say.js'
import { compare, finalName, runningName, splitOf } from './plan.js'

/** A data file that the branch contains after the publish. */
interface TargetFile {
  readonly split: string
  readonly sha256: string
  readonly bytes: number
  /** Null for a file of another run. */
  readonly firstCut: number | null
}

/** A data file of another run. */
export interface ForeignFile extends HubFileEntry {
  readonly split: string
  readonly sha256: string
}

/** Path → file. */
export type Target = ReadonlyMap<string, TargetFile>

/** Returns the data files on the branch that have names as those of kun-stream but were not published by this run. */
export function foreignFiles(listed: ReadonlyMap<string, HubFileEntry>, ours: ReadonlySet<string>): ForeignFile[] {
  return [...listed.values()].flatMap((file) => {
    const split = splitOf(file.path)
    if (split === null || file.sha256 === null || ours.has(file.sha256)) return []
    return [{ ...file, split, sha256: file.sha256 }]
  })
}

/** @throws {UsageError} the branch holds data of another run, and neither append nor replace is set */
export function checkForeign(
  repo: string,
  foreign: readonly HubFileEntry[],
  options: { append: boolean; replace: boolean },
): void {
  if (foreign.length === 0 || options.append || options.replace) return
  throw new UsageError(
    say`${repo} holds ${foreign.length} data files that were not published by this run
      (${foreign[0]?.path}): use --append to keep them and add this run, or --replace to delete them`,
  )
}

/**
 * Returns the target for the files of this run and those of others. With `running`, names are those that do not change
 * when files are added: for a run in progress, and for more files than one commit may hold.
 */
export function targetOf(
  ours: readonly { split: string; firstCut: number; sha256: string; bytes: number }[],
  foreign: readonly ForeignFile[],
  options: { readonly running: boolean },
): Target {
  const target = new Map<string, TargetFile>()
  if (options.running) {
    for (const file of foreign) target.set(file.path, targetFileOf(file))
    for (const file of ours) target.set(freeName(target, file.split, file.firstCut), file)
    return target
  }
  const splits = [...new Set([...foreign, ...ours].map(({ split }) => split))].sort(compare)
  for (const split of splits) {
    const wanted: TargetFile[] = [
      ...foreign
        .filter((file) => file.split === split)
        .sort((a, b) => compare(a.path, b.path))
        .map(targetFileOf),
      ...ours.filter((file) => file.split === split),
    ]
    for (const [number, file] of wanted.entries()) target.set(finalName(split, number, wanted.length), file)
  }
  return target
}

function targetFileOf({ split, sha256, sizeBytes }: ForeignFile): TargetFile {
  return { split, sha256, bytes: sizeBytes, firstCut: null }
}

/** Returns the name for a cut; the next free number if a file of another run has that name. */
function freeName(target: ReadonlyMap<string, TargetFile>, split: string, firstCut: number): string {
  let number = firstCut
  while (target.has(runningName(split, number))) number++
  return runningName(split, number)
}

/**
 * Returns the operations after which the branch has the target, the small files, and no other data file of kun-stream.
 */
export function operationsTo(
  target: Target,
  small: ReadonlyMap<string, string>,
  listed: ReadonlyMap<string, HubFileEntry>,
): Operation[] {
  const operations: Operation[] = []
  for (const [path, { sha256, bytes }] of target) {
    if (listed.get(path)?.sha256 !== sha256) operations.push({ kind: 'large', path, sha256, bytes })
  }
  for (const path of [...listed.keys()].sort(compare)) {
    if (splitOf(path) !== null && !target.has(path)) operations.push({ kind: 'delete', path })
  }
  for (const [path, content] of small) {
    if (listed.get(path)?.oid !== gitOid(content)) operations.push({ kind: 'small', path, content })
  }
  return operations
}

/** Git's hash of a blob. */
function gitOid(content: string): string {
  const bytes = Buffer.from(content)
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}
