/**
 * Puts the replies of the attempts that count into `replies/` of an assembled directory, so that `rebuild` and `explain` find
 * them: those of prepare first, then those of each cut in order. Restartable: a segment that is there is kept.
 */
import { extname, join } from 'node:path'
import type { StorageError } from '../errors.js'
import type { ObjectStore } from '../objects/object-store.js'
import type { RunDirectory } from '../sinks/index.js'
import { copyFileDurably } from '../storage/copy-file.js'
import { linkUnsupported } from '../storage/exclusive-rename.js'
import { errnoOf, makeDurableDirectory, temporarySuffix } from '../storage/files.js'
import { repliesFolder, replySegmentName } from '../storage/run-layout.js'
import { attemptPrefix, verdictsFolder } from './unit-keys.js'
import { readPlan } from './unit-plan.js'
import { readResult } from './unit-result.js'

/** @param cuts number of cuts that are assembled */
export async function collectReplies(store: ObjectStore, run: RunDirectory, cuts: number): Promise<void> {
  const { files, directory } = run
  const folder = join(directory, repliesFolder)
  await makeDurableDirectory(files, folder)
  let number = 0
  const add = async (key: string): Promise<void> => {
    const path = join(folder, `${String(number++).padStart(6, '0')}${extname(key)}`)
    if ((await files.sizeBytes(path)) === null) await place(store, run, key, path)
  }
  if (store.directory === directory) {
    for (const name of await files.list(join(directory, verdictsFolder))) {
      if (replySegmentName.test(name)) await add(`${verdictsFolder}/${name}`)
    }
  }
  for await (const { cut, id } of readPlan(store)) {
    if (cut >= cuts) break
    const result = await readResult(store, id)
    for (const name of result?.replies ?? []) {
      await add(`${attemptPrefix(id, result?.attempt ?? '')}${repliesFolder}/${name}`)
    }
  }
  await files.fsyncDirectory(folder)
}

/** Copies a log; a link would not do, because opening the directory may truncate it. A missing segment is skipped. */
async function place(store: ObjectStore, { files }: RunDirectory, key: string, path: string): Promise<void> {
  const temporary = path + temporarySuffix
  await files.remove(temporary)
  if (store.directory === null) {
    if (await store.getFile(key, temporary)) await files.rename(temporary, path)
    return
  }
  const source = join(store.directory, key)
  if ((await files.sizeBytes(source)) === null) return
  const isLinked =
    extname(key) === '.pack' &&
    (await files.link(source, path).then(
      () => true,
      (error: StorageError) => {
        const errno = errnoOf(error) ?? ''
        if (errno !== 'EXDEV' && !linkUnsupported.has(errno)) throw error
        return false
      },
    ))
  if (isLinked) return
  await copyFileDurably(files, source, temporary)
  await files.rename(temporary, path)
}
