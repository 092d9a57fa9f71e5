import { join } from 'node:path'
import t from 'tap'
import { LockLostError, type StorageError } from '../../lib/errors.js'
import { fencedFiles } from '../../lib/storage/fenced-files.js'
import { type FileLayer, nodeFiles, type OpenFile, storageError } from '../../lib/storage/files.js'

function refusal(errno: string): StorageError {
  return storageError('write', 'a', Object.assign(new Error(errno), { code: errno }))
}

t.test('no change reaches the directory once the lock is lost, and reading still does', async (t) => {
  const directory = t.testdir({ a: 'aa', sub: {} })
  let lost = false
  const check = async (): Promise<void> => {
    if (lost) throw new LockLostError('lost')
  }
  const files = fencedFiles(nodeFiles, { check, confirm: check })
  const file = await files.open(join(directory, 'log'), 'append')
  await file.write(Buffer.from('1'))
  lost = true
  const at = (name: string) => join(directory, name)
  const changes: (() => Promise<unknown>)[] = [
    () => file.write(Buffer.from('2')),
    () => file.truncate(0),
    ...(['create', 'write', 'append'] as const).map((mode) => () => files.open(at('new'), mode)),
    () => files.rename(at('a'), at('b')),
    () => files.link(at('a'), at('b')),
    () => files.remove(at('a')),
    () => files.makeDirectory(at('sub/deeper')),
  ]
  for (const change of changes) await t.rejects(change(), { code: 'KUN_LOCK_LOST' })
  t.same(await files.list(directory), ['a', 'log', 'sub'])
  t.equal(await files.sizeBytes(at('log')), 1)
  t.equal(await files.linkCount(at('a')), 1)
  const read = await files.open(at('a'), 'read')
  t.equal(Buffer.from(await read.read(0, 2)).toString(), 'aa')
  await read.close()
  await file.close()
})

t.test('whatever fails once another process has the lock fails because the lock is lost', async (t) => {
  const directory = t.testdir({ a: 'aa' })
  const at = (name: string) => join(directory, name)
  let taken = false
  const failing = <Result>(work: () => Promise<Result>): Promise<Result> =>
    taken ? Promise.reject(refusal('ENOENT')) : work()
  const opened = (file: OpenFile): OpenFile => ({
    path: file.path,
    read: (offset, lengthBytes) => failing(() => file.read(offset, lengthBytes)),
    write: (bytes) => failing(() => file.write(bytes)),
    truncate: (lengthBytes) => failing(() => file.truncate(lengthBytes)),
    fsync: () => failing(() => file.fsync()),
    close: () => file.close(),
  })
  const disk: FileLayer = {
    open: (path, mode) => failing(async () => opened(await nodeFiles.open(path, mode))),
    rename: (from, to) => failing(() => nodeFiles.rename(from, to)),
    link: (from, to) => failing(() => nodeFiles.link(from, to)),
    linkCount: (path) => failing(() => nodeFiles.linkCount(path)),
    remove: (path) => failing(() => nodeFiles.remove(path)),
    makeDirectory: (path) => failing(() => nodeFiles.makeDirectory(path)),
    list: (path) => failing(() => nodeFiles.list(path)),
    listEntries: (path) => failing(() => nodeFiles.listEntries(path)),
    sizeBytes: (path) => failing(() => nodeFiles.sizeBytes(path)),
    modifiedMs: (path) => failing(() => nodeFiles.modifiedMs(path)),
    fsyncDirectory: (path) => failing(() => nodeFiles.fsyncDirectory(path)),
  }
  /** The clocks of a process that was suspended stand still: its lease seems to hold. */
  const trusting = async (): Promise<void> => undefined
  const confirm = async (): Promise<void> => {
    if (taken) throw new LockLostError('taken over')
  }
  const files = fencedFiles(disk, { check: trusting, confirm })
  const file = await files.open(at('log'), 'append')
  const operations: (() => Promise<unknown>)[] = [
    ...(['read', 'create', 'write', 'append'] as const).map((mode) => () => files.open(at('new'), mode)),
    () => file.read(0, 1),
    () => file.write(Buffer.from('2')),
    () => file.truncate(0),
    () => file.fsync(),
    () => files.rename(at('a'), at('b')),
    () => files.link(at('a'), at('b')),
    () => files.linkCount(at('a')),
    () => files.remove(at('a')),
    () => files.makeDirectory(at('sub')),
    () => files.list(directory),
    () => files.listEntries(directory),
    () => files.sizeBytes(at('a')),
    () => files.modifiedMs(at('a')),
    () => files.fsyncDirectory(directory),
  ]
  taken = true
  for (const operation of operations) await t.rejects(operation(), { code: 'KUN_LOCK_LOST', message: 'taken over' })
  const held = fencedFiles(disk, { check: trusting, confirm: trusting })
  await t.rejects(held.open(at('new'), 'read'), { code: 'KUN_STORAGE', details: { errno: 'ENOENT' } })
  const unreadable = fencedFiles(disk, { check: trusting, confirm: () => Promise.reject(refusal('EIO')) })
  await t.rejects(
    unreadable.list(directory),
    { code: 'KUN_STORAGE', details: { errno: 'ENOENT' } },
    'the first failure is the one to report',
  )
  await file.close()
})
