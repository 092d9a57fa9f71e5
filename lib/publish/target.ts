/** What the branch shall hold, compared with what it holds: names of data files, and the operations between the two. */
import { createHash } from 'node:crypto'
import { UsageError } from '../errors.js'
import type { Operation, RemoteFile } from '../hub/remote.js'
import { compare, finalName, runningName, splitOf } from './plan.js'

/** A data file that the branch shall hold. */
export interface Wanted {
  readonly split: string
  readonly sha256: string
  readonly bytes: number
  /** Null for a file of another run. */
  readonly firstCut: number | null
  /** Where another run's file is now. */
  readonly from?: string
}

export type Target = ReadonlyMap<string, Wanted>

/** Data files on the branch, named as ours are, that this run never put there. */
export function foreignFiles(
  remote: ReadonlyMap<string, RemoteFile>,
  ours: ReadonlySet<string>,
): (RemoteFile & { split: string; sha256: string })[] {
  return [...remote.values()].flatMap((file) => {
    const split = splitOf(file.path)
    if (split === null || file.sha256 === null || ours.has(file.sha256)) return []
    return [{ ...file, split, sha256: file.sha256 }]
  })
}

/** @throws {UsageError} the branch holds data of another run and it was not said what shall become of it */
export function decideForeign(
  repo: string,
  foreign: readonly RemoteFile[],
  options: { append: boolean; replace: boolean },
): void {
  if (foreign.length === 0 || options.append || options.replace) return
  throw new UsageError(
    `${repo} holds ${foreign.length} data files that this run did not put there (${foreign[0]?.path}): ` +
      'say --append to keep them and add this run, or --replace to delete them',
  )
}

/** Path → content. With more files than one commit takes, or while the run goes on, names are those that do not change. */
export function targetOf(
  ours: readonly { split: string; firstCut: number; sha256: string; bytes: number }[],
  foreign: readonly { split: string; sha256: string; bytes: number; path: string }[],
  options: { readonly running: boolean },
): Target {
  const target = new Map<string, Wanted>()
  if (options.running) {
    for (const file of foreign) target.set(file.path, { ...file, firstCut: null, from: file.path })
    for (const file of ours) target.set(freeName(target, file.split, file.firstCut), file)
    return target
  }
  const splits = [...new Set([...foreign, ...ours].map(({ split }) => split))].sort(compare)
  for (const split of splits) {
    const wanted: Wanted[] = [
      ...foreign
        .filter((file) => file.split === split)
        .sort((a, b) => compare(a.path, b.path))
        .map((file) => ({ ...file, firstCut: null, from: file.path })),
      ...ours.filter((file) => file.split === split),
    ]
    for (const [number, file] of wanted.entries()) target.set(finalName(split, number, wanted.length), file)
  }
  return target
}

/** Another run's file may have the name of a cut of ours: the next number that is free. */
function freeName(target: ReadonlyMap<string, Wanted>, split: string, firstCut: number): string {
  let number = firstCut
  while (target.has(runningName(split, number))) number++
  return runningName(split, number)
}

/** What makes the branch hold the target and these small files, and no other data file named as ours. */
export function operationsTo(
  target: Target,
  small: ReadonlyMap<string, string>,
  remote: ReadonlyMap<string, RemoteFile>,
): Operation[] {
  const operations: Operation[] = []
  for (const [path, { sha256, bytes }] of target) {
    if (remote.get(path)?.sha256 !== sha256) operations.push({ kind: 'large', path, sha256, bytes })
  }
  for (const path of [...remote.keys()].sort(compare)) {
    if (splitOf(path) !== null && !target.has(path)) operations.push({ kind: 'delete', path })
  }
  for (const [path, content] of small) {
    if (remote.get(path)?.oid !== gitOid(content)) operations.push({ kind: 'small', path, content })
  }
  return operations
}

/** Git's name of a blob. */
function gitOid(content: string): string {
  const bytes = Buffer.from(content)
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}
