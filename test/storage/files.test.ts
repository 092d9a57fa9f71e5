import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { getSystemErrorName } from 'node:util'
import t from 'tap'
import { StorageError } from '../../lib/errors.js'
import { errnoName } from '../../lib/storage/errno-name.js'
import {
  errnoOf,
  makeDurableDirectory,
  nodeFiles,
  readWholeFile,
  storageError,
  temporarySuffix,
  writeFileDurably,
} from '../../lib/storage/files.js'

t.test('a file is written at its end in every mode, and read at any offset', async (t) => {
  const path = join(t.testdir(), 'a')
  const file = await nodeFiles.open(path, 'create')
  await file.write(Buffer.from('hello '))
  await file.write(Buffer.from('world'))
  t.equal(Buffer.from(await file.read(6, 100)).toString(), 'world')
  await file.truncate(5)
  await file.write(Buffer.from('!'))
  await file.fsync()
  await file.close()
  t.equal(readFileSync(path, 'utf8'), 'hello!')
  const more = await nodeFiles.open(path, 'append')
  await more.write(Buffer.from('?'))
  await more.close()
  t.equal(await nodeFiles.sizeBytes(path), 7)
  t.equal(errnoOf(await nodeFiles.open(path, 'create').catch((error) => error)), 'EEXIST')
  await (await nodeFiles.open(path, 'write')).close()
  t.equal(await nodeFiles.sizeBytes(path), 0)
})

t.test('what is not there has no size, no names, and can be removed', async (t) => {
  const directory = t.testdir({ b: '', a: '', 中: '' })
  t.same(await nodeFiles.list(directory), ['a', 'b', '中'])
  t.same(await nodeFiles.list(join(directory, 'none')), [])
  t.equal(await nodeFiles.sizeBytes(join(directory, 'none')), null)
  await nodeFiles.remove(join(directory, 'none'))
  await nodeFiles.remove(join(directory, 'a'))
  await nodeFiles.rename(join(directory, 'b'), join(directory, 'c'))
  t.same(await nodeFiles.list(directory), ['c', '中'])
})

t.test('every refusal of the system is a StorageError with the path and what to do', async (t) => {
  for (const errno of ['ENOSPC', 'EROFS', 'EMFILE', 'EACCES', 'EIO', 'EWEIRD']) {
    const error = storageError('write', '/data/x', Object.assign(new Error('system words'), { code: errno }))
    const exitCode = ['EROFS', 'EACCES'].includes(errno) ? 2 : 3
    t.match(error, { code: 'KUN_STORAGE', exitCode, details: { errno, operation: 'write', path: '/data/x' } })
    t.match(error.message, new RegExp(`could not write /data/x: .*\\(${errno}\\)\\. \\w`))
  }
  const directory = t.testdir({ file: '' })
  await t.rejects(nodeFiles.list(join(directory, 'file')), { name: 'StorageError', message: /ENOTDIR/ })
  await t.rejects(nodeFiles.fsyncDirectory(join(directory, 'none')), { name: 'StorageError', message: /ENOENT/ })
  if (process.getuid?.() !== 0) {
    chmodSync(directory, 0o500)
    await t.rejects(nodeFiles.open(join(directory, 'new'), 'create'), { name: 'StorageError', message: /EACCES/ })
    chmodSync(directory, 0o700)
  }
})

t.test('a new directory is fsynced into each parent that got an entry', async (t) => {
  const directory = t.testdir()
  const synced: string[] = []
  const files = { ...nodeFiles, fsyncDirectory: async (path: string) => void synced.push(path) }
  await makeDurableDirectory(files, join(directory, 'a', 'b', 'c'))
  t.ok(existsSync(join(directory, 'a', 'b', 'c')))
  t.same(synced, [dirname(directory), directory, join(directory, 'a'), join(directory, 'a', 'b')])
})

t.test('a small file is replaced as a whole, and read whole within a limit', async (t) => {
  const directory = t.testdir()
  const path = join(directory, 'run.json')
  t.equal(await readWholeFile(nodeFiles, path, 100), null)
  await writeFileDurably(nodeFiles, path, Buffer.from('one'))
  writeFileSync(`${path}${temporarySuffix}`, 'left over, and longer')
  await writeFileDurably(nodeFiles, path, Buffer.from('two'))
  t.equal(Buffer.from((await readWholeFile(nodeFiles, path, 3)) ?? []).toString(), 'two')
  await t.rejects(readWholeFile(nodeFiles, path, 2), StorageError)
  t.same(await nodeFiles.list(directory), ['run.json'])
})

t.test('a system error that Node has no name for is reported by its name', (t) => {
  const number = constants.errno.ESTALE
  const code = getSystemErrorName(-number)
  const error = storageError('read', 'a.jsonl', Object.assign(new Error(code), { code, errno: -number }))
  t.match(error, { exitCode: 3, details: { errno: 'ESTALE' }, message: /could not read a\.jsonl: .*\(ESTALE\).*mount/ })
  const known = Object.assign(new Error(), { code: 'EACCES' })
  t.equal(errnoName(known), 'EACCES')
  t.equal(errnoName(new Error('of ours')), null)
  t.end()
})
