import { readdirSync } from 'node:fs'
import t from 'tap'
import { directoryStore } from '../../lib/objects/directory-store.js'
import { type FileLayer, nodeFiles, temporarySuffix } from '../../lib/storage/files.js'
import { race } from '../objects/contract.js'
import { raceProcesses } from '../objects/racing-processes.js'

const leftovers = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(temporarySuffix))

t.test('of 16 writers of one key one wins, and every reader sees a whole object', async (t) => {
  const directory = t.testdir()
  // Without fsync, which costs most of the time here and does not decide who wins.
  const files: FileLayer = {
    ...nodeFiles,
    open: async (path, mode) => {
      const file = await nodeFiles.open(path, mode)
      file.fsync = async () => undefined
      return file
    },
    fsyncDirectory: async () => undefined,
  }
  const stores = Array.from({ length: 16 }, () => directoryStore(directory, files))
  await race(t, stores, 1000)
  t.same(leftovers(directory), [])
})

t.test('of 16 writers in 4 processes one wins', async (t) => {
  const directory = t.testdir()
  await raceProcesses(t, { where: directory, store: directoryStore(directory), rounds: 50 })
})
