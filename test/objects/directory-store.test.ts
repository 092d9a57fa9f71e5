import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { directoryStore } from '../../lib/objects/directory-store.js'
import { openObjectStore } from '../../lib/objects/open-store.js'
import { type FileLayer, nodeFiles, storageError, temporarySuffix } from '../../lib/storage/files.js'
import { CrashingFiles, Killed } from '../support/crashing-files.js'
import { FailingFiles } from '../support/failing-files.js'
import { contract, keysOf, text } from './contract.js'

const leftovers = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(temporarySuffix))

t.test('a directory is an object store', async (t) => {
  const directory = join(t.testdir(), 'made/on/demand')
  contract(t, () => openObjectStore(directory))
})

t.test('a key is absent or whole after a fault at any operation, and the next try succeeds', async (t) => {
  for (const errno of ['EIO', 'ENOSPC', 'ESTALE']) {
    let at = 1
    for (; ; at++) {
      const directory = t.testdir()
      const failing = new FailingFiles(at, errno)
      const store = directoryStore(directory, failing)
      const won = await store.putIfAbsent('r/1.json', Buffer.from('mine')).catch((error: unknown) => error)
      if (failing.failed === null) {
        t.equal(won, true)
        break
      }
      const what = `${errno} at ${at}: ${failing.failed.replaceAll(directory, '')}`
      const healthy = directoryStore(directory)
      const found = text(await healthy.get('r/1.json'))
      t.ok(won === true || (won as { code?: string }).code === 'KUN_STORAGE', what)
      t.ok(found === 'mine' || (found === null && won !== true), what)
      t.equal(await healthy.putIfAbsent('r/1.json', Buffer.from('other')), found === null, what)
      t.same(await keysOf(healthy, ''), ['r/1.json'])
    }
    t.ok(at > 8, `${at} operations`)
  }
})

t.test('what was committed survives a power loss, and a lost write leaves nothing', async (t) => {
  for (let at = 1; ; at++) {
    let done = false
    for (const loss of ['all', 'none', 1, 2, 3] as const) {
      const disk = new CrashingFiles('/root-of-disk')
      disk.onOperation = (_, __, number) => {
        if (number === at) disk.kill()
      }
      const store = directoryStore('/root-of-disk/run', disk)
      const first = await store.putIfAbsent('r/1.json', Buffer.from('mine')).catch((error: unknown) => error)
      disk.onOperation = null
      disk.crash(loss)
      const found = text(await directoryStore('/root-of-disk/run', disk).get('r/1.json'))
      done = !(first instanceof Killed)
      if (done) t.equal(found, 'mine')
      else t.ok(found === null || found === 'mine', `killed at ${at}, lost ${loss}: ${found}`)
    }
    if (done) break
  }
})

t.test('an answer that says another was first is as durable as a win', async (t) => {
  const disk = new CrashingFiles('/root-of-disk')
  const winner = directoryStore('/root-of-disk', disk)
  await winner.put('r/0.json', Buffer.from('makes the folder'))
  disk.onOperation = (operation) => {
    if (operation === 'fsyncDirectory') throw new Error('the winner is slow')
  }
  await t.rejects(winner.putIfAbsent('r/1.json', Buffer.from('winner')))
  disk.onOperation = null
  t.equal(await directoryStore('/root-of-disk', disk).putIfAbsent('r/1.json', Buffer.from('loser')), false)
  disk.crash('all')
  t.equal(text(await directoryStore('/root-of-disk', disk).get('r/1.json')), 'winner')
})

/** A file server that makes the link and whose answer is lost, so that the client reports `errno`. */
function withLostLinks(errno: string, before: (from: string, to: string) => void = linkSync): FileLayer {
  return {
    ...nodeFiles,
    link: async (from, to) => {
      before(from, to)
      throw storageError('link', to, Object.assign(new Error('lost'), { code: errno }))
    },
  }
}

t.test('a link whose answer was lost is ours, and one that was never made is not', async (t) => {
  for (const errno of ['EEXIST', 'EIO', 'ETIMEDOUT', 'ESTALE']) {
    const directory = t.testdir()
    t.equal(await directoryStore(directory, withLostLinks(errno)).putIfAbsent('k/1', Buffer.from('mine')), true, errno)
    const another = withLostLinks(errno, (_, to) => writeFileSync(to, 'mine'))
    t.equal(await directoryStore(directory, another).putIfAbsent('k/2', Buffer.from('mine')), false, errno)
    if (errno === 'EEXIST') continue
    const none = withLostLinks(errno, () => undefined)
    await t.rejects(directoryStore(directory, none).putIfAbsent('k/3', Buffer.from('mine')), { code: 'KUN_STORAGE' })
    t.same(leftovers(directory), [])
  }
})

t.test('a temporary file that another process removed is decided by content', async (t) => {
  const directory = t.testdir()
  const swept = (content: string): FileLayer => ({
    ...withLostLinks('EIO', (_, to) => writeFileSync(to, content)),
    linkCount: async () => null,
  })
  t.equal(await directoryStore(directory, swept('mine')).putIfAbsent('k/1', Buffer.from('mine')), true)
  t.equal(await directoryStore(directory, swept('other')).putIfAbsent('k/2', Buffer.from('mine')), false)
})

t.test('a folder that was removed since it was made is made again', async (t) => {
  const directory = t.testdir()
  const store = directoryStore(directory)
  await store.putIfAbsent('a/1', Buffer.from('1'))
  await nodeFiles.remove(join(directory, 'a/1'))
  const { rmdirSync } = await import('node:fs')
  rmdirSync(join(directory, 'a'))
  t.equal(await store.putIfAbsent('a/2', Buffer.from('2')), true)
  t.equal(readFileSync(join(directory, 'a/2'), 'utf8'), '2')
})

t.test(
  'a file system without hard links is refused when the store is opened, before anything is written',
  async (t) => {
    const directory = t.testdir()
    const files = withLostLinks('EOPNOTSUPP', () => undefined)
    await t.rejects(openObjectStore(directory, { files }), {
      code: 'KUN_STORE_REFUSED',
      exitCode: 2,
      message: /hard links/,
    })
    t.same(leftovers(directory), [])
    await (await openObjectStore(directory, { files, readOnly: true })).close()
  },
)

t.test('a store that takes a second write is refused when it is opened', async (t) => {
  const directory = t.testdir()
  const files: FileLayer = {
    ...nodeFiles,
    open: async (path, mode) => {
      if (mode === 'read') throw storageError('open', path, Object.assign(new Error('stale'), { code: 'ENOENT' }))
      return nodeFiles.open(path, mode)
    },
    link: (from, to) => nodeFiles.rename(from, to),
  }
  await t.rejects(openObjectStore(directory, { files }), { code: 'KUN_STORE_REFUSED', message: /second write/ })
})

t.test('opening makes nothing when only read, and leaves no trial object', async (t) => {
  const directory = join(t.testdir(), 'none')
  const store = await openObjectStore(directory, { readOnly: true })
  t.equal(await store.get('a'), null)
  t.same(await keysOf(store, ''), [])
  t.notOk(existsSync(directory))
  await openObjectStore(directory)
  t.same(await keysOf(store, ''), [])
  mkdirSync(dirname(directory), { recursive: true })
  await t.rejects(openObjectStore(''), { code: 'KUN_INVALID_OPTION' })
  await t.rejects(openObjectStore('ftp://host/a'), { code: 'KUN_INVALID_OPTION' })
})
