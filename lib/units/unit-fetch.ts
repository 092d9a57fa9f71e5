/** Unit files and earlier replies as local files: in place in a directory, copied from a bucket. */
import { join } from 'node:path'
import { CorruptFileError } from '../errors.js'
import { say } from '../language/say.js'
import type { ObjectStore } from '../objects/object-store.js'
import { type FileLayer, sha256Of } from '../storage/files.js'
import { repliesFolder } from '../storage/run-layout.js'
import { attemptsPrefix, unitKey } from './unit-keys.js'
import type { PlanLine } from './unit-plan.js'

/**
 * Returns the path of a unit file whose sha256 is that of the plan.
 *
 * @param scratch directory for a copy from a bucket
 * @throws {CorruptFileError} it is missing or damaged
 */
export async function fetchUnit(
  store: ObjectStore,
  files: FileLayer,
  line: PlanLine,
  scratch: string,
): Promise<string> {
  const key = unitKey(line.cut)
  const path = store.directory === null ? join(scratch, 'unit.jsonl.gz') : join(store.directory, key)
  if (store.directory === null && !(await store.getFile(key, path))) throw damagedUnit(store, line, say`it is missing`)
  const size = await files.sizeBytes(path)
  if (size === null) throw damagedUnit(store, line, say`it is missing`)
  if (size !== line.bytes) throw damagedUnit(store, line, say`it has ${size} bytes, the plan says ${line.bytes}`)
  if ((await sha256Of(files, path, size)) !== line.sha256) throw damagedUnit(store, line, say`its sha256 differs`)
  return path
}

function damagedUnit(store: ObjectStore, { cut, id }: PlanLine, what: string): CorruptFileError {
  const path = `${store.url}/${unitKey(cut)}`
  return new CorruptFileError(
    say`the unit file ${path} is damaged: ${what}. Run \`kun-stream prepare\` again: it makes the file again`,
    { details: { path, unit: id } },
  )
}

/** Returns directories with the replies of all earlier attempts at a unit. */
export async function earlierReplies(
  store: ObjectStore,
  id: string,
  attempt: string,
  scratch: string,
): Promise<string[]> {
  const prefix = attemptsPrefix(id)
  const found = new Set<string>()
  for await (const key of store.list(prefix)) {
    const [name = '', folder, segment] = key.slice(prefix.length).split('/')
    if (name === attempt || folder !== repliesFolder || segment === undefined) continue
    if (store.directory !== null) found.add(join(store.directory, prefix, name, repliesFolder))
    else {
      const directory = join(scratch, 'earlier', name)
      if (await store.getFile(key, join(directory, segment))) found.add(directory)
    }
  }
  return [...found]
}
