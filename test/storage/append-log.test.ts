import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ContractError, CorruptFileError, StorageError } from '../../lib/errors.js'
import {
  type AppendLog,
  bufferBytesMax,
  openAppendLog,
  readAppendLog,
  unsyncedBytesMax,
} from '../../lib/storage/append-log.js'
import { errnoOf, type FileLayer, nodeFiles, type OpenFile } from '../../lib/storage/files.js'
import { frameBytesMax, frameHeadBytes } from '../../lib/storage/frames.js'

const header = { kind: 'test', bands: 20 }
const payloads = ['', '一', 'two', '三三三', 'x'.repeat(5000)].map((text) => Buffer.from(text))

async function written(path: string, files: FileLayer = nodeFiles): Promise<{ log: AppendLog; ends: number[] }> {
  const log = await openAppendLog({ files, path, header })
  const ends = [log.bytes]
  for (const payload of payloads) {
    log.append(payload)
    ends.push(log.bytes)
  }
  await log.flush()
  return { log, ends }
}

async function read(path: string): Promise<string[]> {
  const found: string[] = []
  await readAppendLog({ files: nodeFiles, path }, (payload) => void found.push(Buffer.from(payload).toString()))
  return found
}

t.test('what was appended is read back by offset before and after it is written, and by streaming', async (t) => {
  const path = join(t.testdir(), 'a.log')
  const log = await openAppendLog({ files: nodeFiles, path, header })
  const offsets = payloads.map((payload) => log.append(payload))
  for (const [i, offset] of offsets.entries()) t.same(Buffer.from(await log.read(offset)), payloads[i])
  await log.flush()
  for (const [i, offset] of offsets.entries()) t.same(Buffer.from(await log.read(offset)), payloads[i])
  t.equal(log.bytes, readFileSync(path).length)
  await log.close()
  await log.close()
  const again = await openAppendLog({ files: nodeFiles, path, header: { bands: 20, kind: 'test' } })
  for (const [i, offset] of offsets.entries()) t.same(Buffer.from(await again.read(offset)), payloads[i])
  await t.rejects(again.read(1), CorruptFileError)
  await again.close()
  t.same(await read(path), payloads.map(String))
})

t.test('a log cut at any byte opens with the frames that are whole, and goes on from there', async (t) => {
  const path = join(t.testdir(), 'a.log')
  const { log, ends } = await written(path)
  await log.close()
  const whole = readFileSync(path)
  for (let length = 0; length <= whole.length; length++) {
    // Inside the long last payload every position is alike.
    if (length > (ends[4] as number) + 20 && length < whole.length - 20) continue
    writeFileSync(path, whole.subarray(0, length))
    const kept = ends.filter((end) => end <= length).length - 1
    const found: string[] = []
    const onRecord = (payload: Uint8Array): void => void found.push(Buffer.from(payload).toString())
    const opened = await openAppendLog({ files: nodeFiles, path, header, onRecord })
    if (found.length !== Math.max(0, kept)) t.fail(`${length} bytes: ${found.length} frames, not ${kept}`)
    if (opened.cutBytes !== length - (kept < 0 ? 0 : (ends[kept] as number)))
      t.fail(`${length}: cut ${opened.cutBytes}`)
    opened.append(Buffer.from('next'))
    await opened.close()
    t.same(await read(path), [...payloads.slice(0, Math.max(0, kept)).map(String), 'next'], `${length} bytes`)
  }
})

t.test('a last frame with any byte changed, or of zeros, is cut', async (t) => {
  const path = join(t.testdir(), 'a.log')
  const log = await openAppendLog({ files: nodeFiles, path, header })
  log.append(Buffer.from('first'))
  const start = log.bytes
  log.append(Buffer.from('second'))
  await log.close()
  const whole = readFileSync(path)
  for (let at = start; at < whole.length; at++) {
    const bytes = Buffer.from(whole)
    bytes[at] = (bytes[at] as number) ^ 0x40
    writeFileSync(path, bytes)
    const opened = await openAppendLog({ files: nodeFiles, path, header })
    t.equal(opened.bytes, start, `byte ${at}`)
    await opened.close()
  }
  writeFileSync(path, Buffer.concat([whole, Buffer.alloc(4096)]))
  t.same(await read(path), ['first', 'second'])
})

t.test('a log made with other settings is refused with the difference, and left as it is', async (t) => {
  const path = join(t.testdir(), 'a.log')
  await (await written(path)).log.close()
  const before = readFileSync(path)
  const open = openAppendLog({ files: nodeFiles, path, header: { kind: 'test', bands: 21 } })
  await t.rejects(open, { name: 'RunMismatchError', message: /bands was 20, is 21/ })
  t.same(readFileSync(path), before)
})

t.test('a committed length cuts what lies beyond, and what lies before it must be whole', async (t) => {
  const path = join(t.testdir(), 'a.log')
  const { log, ends } = await written(path)
  await log.close()
  const whole = readFileSync(path)
  const committed = ends[3] as number
  const opened = await openAppendLog({ files: nodeFiles, path, header, fromBytes: committed })
  t.equal(opened.bytes, committed)
  await opened.close()
  t.same(await read(path), payloads.slice(0, 3).map(String))

  const open = (): Promise<AppendLog> => openAppendLog({ files: nodeFiles, path, header, fromBytes: committed })
  truncateSync(path, committed - 1)
  await t.rejects(open(), CorruptFileError)
  const damaged = Buffer.from(whole)
  damaged[committed - 1] = 0xff
  writeFileSync(path, damaged)
  await t.rejects(open(), { name: 'CorruptFileError', message: /damaged at byte/ })
  writeFileSync(path, whole)
  await t.rejects(openAppendLog({ files: nodeFiles, path, header, fromBytes: committed - 1 }), CorruptFileError)

  writeFileSync(path, whole)
  const anew = await openAppendLog({ files: nodeFiles, path, header, fromBytes: 0 })
  t.equal(anew.bytes, ends[0])
  await anew.close()
})

t.test('damage that a crash cannot leave is reported, not cut', async (t) => {
  const path = join(t.testdir(), 'a.log')
  const { log } = await written(path)
  await log.close()
  const whole = readFileSync(path)
  const noHeader = Buffer.from(whole)
  noHeader[9] = 0
  writeFileSync(path, noHeader)
  await t.rejects(openAppendLog({ files: nodeFiles, path, header }), CorruptFileError)
  t.same(readFileSync(path), noHeader)
  writeFileSync(path, 'notes of my own, a text that is no log of kun-stream, and longer than a header')
  await t.rejects(openAppendLog({ files: nodeFiles, path, header }), CorruptFileError)
  writeFileSync(path, whole)
  truncateSync(path, whole.length + unsyncedBytesMax + 1)
  await t.rejects(openAppendLog({ files: nodeFiles, path, header }), CorruptFileError)
  await t.rejects(read(path), CorruptFileError)
})

/** Counts calls on files, holds writes back while a gate is closed, and fails on demand. */
class Watched {
  fsyncs = 0
  writes = 0
  gate: Promise<void> = Promise.resolve()
  failWrite: ((file: OpenFile, bytes: Uint8Array) => Promise<void>) | null = null
  failFsync = false
  readonly files: FileLayer = {
    ...nodeFiles,
    open: async (path, mode) => {
      const file = await nodeFiles.open(path, mode)
      return {
        path,
        read: (offset, length) => file.read(offset, length),
        truncate: (length) => file.truncate(length),
        close: () => file.close(),
        write: async (bytes) => {
          this.writes++
          await this.gate
          if (this.failWrite) return this.failWrite(file, bytes)
          return file.write(bytes)
        },
        fsync: async () => {
          this.fsyncs++
          if (this.failFsync) throw new StorageError('fsync refused')
          return file.fsync()
        },
      }
    },
  }
}

t.test('flushes asked for together share one fsync, and one asked for during a flush gets the next', async (t) => {
  const watched = new Watched()
  const log = await openAppendLog({ files: watched.files, path: join(t.testdir(), 'a.log'), header })
  watched.fsyncs = 0
  const flushes = [1, 2, 3, 4].map((n) => {
    log.append(Buffer.from(`${n}`))
    return log.flush()
  })
  await Promise.all(flushes)
  t.equal(watched.fsyncs, 1)

  let release = (): void => {}
  watched.gate = new Promise((resolve) => {
    release = resolve
  })
  watched.writes = 0
  log.append(Buffer.from('a'))
  const first = log.flush()
  while (watched.writes === 0) await new Promise(setImmediate)
  log.append(Buffer.from('b'))
  const second = log.flush()
  const third = log.flush()
  release()
  await Promise.all([first, second, third])
  t.equal(watched.fsyncs, 3)
  await log.flush()
  t.equal(watched.fsyncs, 3, 'nothing new, nothing to do')
  await log.close()
})

t.test('a write that fails half way leaves no half frame before good ones, and fails all that follows', async (t) => {
  const watched = new Watched()
  const path = join(t.testdir(), 'a.log')
  const log = await openAppendLog({ files: watched.files, path, header })
  log.append(Buffer.from('good'))
  await log.flush()
  watched.failWrite = async (file, bytes) => {
    await file.write(bytes.subarray(0, 5))
    throw new StorageError('ENOSPC: no space left')
  }
  log.append(Buffer.from('lost'))
  await t.rejects(log.flush(), { name: 'StorageError', message: /ENOSPC/ })
  watched.failWrite = null
  t.throws(() => log.append(Buffer.from('after')), StorageError)
  await t.rejects(log.flush(), StorageError)
  await t.rejects(log.ready(), StorageError)
  t.equal(readFileSync(path).length, log.bytes - frameHeadBytes - 4)
  await log.close()
  t.same(await read(path), ['good'])
})

t.test('a failed fsync is final: a later one would say that all is well', async (t) => {
  const watched = new Watched()
  const log = await openAppendLog({ files: watched.files, path: join(t.testdir(), 'a.log'), header })
  log.append(Buffer.from('x'))
  watched.failFsync = true
  await t.rejects(log.flush(), StorageError)
  watched.failFsync = false
  await t.rejects(log.flush(), StorageError)
  await log.close()
})

t.test('the buffer is bounded: ready waits for room, and appending without it throws at the limit', async (t) => {
  const watched = new Watched()
  const log = await openAppendLog({ files: watched.files, path: join(t.testdir(), 'a.log'), header })
  const payload = Buffer.alloc(4 * 1024 * 1024)
  watched.fsyncs = 0
  for (let i = 0; i < bufferBytesMax / payload.length; i++) log.append(payload)
  t.throws(() => log.append(payload), { name: 'ContractError', message: /await ready/ })
  await log.ready()
  t.ok(watched.fsyncs >= 1, 'what is written but not fsynced is bounded too')
  log.append(payload)
  t.throws(() => log.append(Buffer.alloc(frameBytesMax + 1)), ContractError)
  await log.close()
})

t.test('a log of a directory that is not there is a StorageError that says so', async (t) => {
  const path = join(t.testdir(), 'nowhere', 'a.log')
  const error = await openAppendLog({ files: nodeFiles, path, header }).catch((error) => error)
  t.equal(errnoOf(error), 'ENOENT')
})
