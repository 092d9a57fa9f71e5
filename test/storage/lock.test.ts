import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { HandClock } from '../../bench/hand-clock.js'
import { LockLostError, RunLockedError, type StorageError } from '../../lib/errors.js'
import { type FileLayer, nodeFiles, storageError } from '../../lib/storage/files.js'
import { lockHolder, lockRunDirectory } from '../../lib/storage/lock/lock.js'
import { lockLine } from '../../lib/storage/lock/lock-file.js'
import { type Holder, type HolderState, holderState, thisProcess } from '../../lib/storage/lock/lock-holder.js'
import { CrashingFiles } from '../support/crashing-files.js'
import { JumpingClock } from '../support/jumping-clock.js'

const leaseMs = 60_000
const renewMs = leaseMs / 12
const me = thisProcess()
/** The holder as seen from another container: the same pid and host name, in another PID namespace. */
const container: Holder = { ...me, namespace: 'pid:[1]' }
/** Nothing of the real time: a wall clock that stands still. */
const wallNow = () => 0

function lockPath(directory: string): string {
  return join(directory, 'lock.json')
}

function token(directory: string): string {
  return JSON.parse(readFileSync(lockPath(directory), 'utf8').split('\n')[0] as string).token
}

/** The lock of a process that was killed. */
function leave(directory: string, holder: Holder): void {
  writeFileSync(lockPath(directory), lockLine({ ...holder, token: randomUUID(), leaseMs }))
}

/** A file layer with some operations replaced. */
function layer(changes: Partial<FileLayer>): FileLayer {
  return { ...nodeFiles, ...changes }
}

function refusal(errno: string): StorageError {
  return storageError('write', 'a', Object.assign(new Error(errno), { code: errno }))
}

/** Renews by the holder's clock, and waits until the file shows it. */
async function renew(clock: HandClock, directory: string): Promise<void> {
  const before = statSync(lockPath(directory)).size
  clock.advance(renewMs)
  while (statSync(lockPath(directory)).size === before) await setImmediate()
  await setImmediate()
}

t.test('a second process is refused immediately, with the pid and host of the first', async (t) => {
  const directory = t.testdir()
  const lock = await lockRunDirectory(directory)
  await t.rejects(lockRunDirectory(directory), {
    name: 'RunLockedError',
    code: 'KUN_RUN_LOCKED',
    message: new RegExp(`process ${process.pid} on ${hostname()} works on this run directory.* is \\d s old`),
  })
  await lock.confirm()
  await lock.release()
  await (await lockRunDirectory(directory)).release()
  t.same(readdirSync(directory), [])
})

t.test('a holder is known to run or to be gone only in the same boot and PID namespace', async (t) => {
  const cases: [Partial<Holder>, HolderState][] = [
    [{}, 'running'],
    [{ host: 'elsewhere' }, 'running'],
    [{ pid: 2 ** 22 + 1 }, 'gone'],
    [{ started: '1' }, 'gone'],
    [{ boot: 'another boot' }, 'unknown'],
    [{ boot: 'another boot', pid: 2 ** 22 + 1 }, 'unknown'],
    [{ namespace: 'pid:[1]' }, 'unknown'],
    [{ namespace: 'pid:[1]', pid: 2 ** 22 + 1 }, 'unknown'],
    [{ boot: null }, 'unknown'],
    [{ namespace: null }, 'unknown'],
    [{ started: null }, 'unknown'],
  ]
  // Without /proc nothing can be known.
  for (const [change, state] of me.namespace === null ? [] : cases)
    t.equal(holderState({ ...me, ...change }), state, JSON.stringify(change))
})

t.test('a lock whose process is gone is taken over immediately', { skip: me.namespace === null }, async (t) => {
  const directory = t.testdir()
  leave(directory, { ...me, pid: 2 ** 22 + 1 })
  const lock = await lockRunDirectory(directory, {
    waitClock: new JumpingClock(() => void t.fail('nothing is waited for')),
  })
  await lock.release()
  t.same(readdirSync(directory), [])
})

t.test(
  'of two containers with one host name and pid, the second is refused while the first gives signs of life',
  async (t) => {
    const directory = t.testdir()
    const clock = new HandClock()
    const first = await lockRunDirectory(directory, { holder: container, clock, wallNow, leaseMs })
    const events: string[] = []
    let looks = 0
    const watching = new JumpingClock(async () => {
      if (++looks === 5) await renew(clock, directory)
    })
    const second = lockRunDirectory(directory, {
      waitClock: watching,
      wallNow,
      leaseMs,
      onEvent: (line) => events.push(line),
    })
    await t.rejects(second, { code: 'KUN_RUN_LOCKED', message: /gave a sign of life while this process watched/ })
    t.equal(looks, 5, 'no longer than needed')
    t.match(events, [/cannot be seen from here; its last sign of life is \d+ s old\. Waiting .* at most 60 s/])
    t.equal(events.length, 1)
    await first.confirm()
    await first.release()
    t.same(readdirSync(directory), [])
  },
)

t.test(
  'a holder that cannot be seen is taken over after its lease, and commits and deletes nothing any more',
  async (t) => {
    const directory = t.testdir()
    const clock = new HandClock()
    const lost: LockLostError[] = []
    const onLost = (error: LockLostError) => lost.push(error)
    const first = await lockRunDirectory(directory, { holder: container, clock, wallNow, leaseMs, onLost })
    const watching = new JumpingClock()
    const events: string[] = []
    const second = await lockRunDirectory(directory, {
      waitClock: watching,
      wallNow,
      leaseMs,
      onEvent: (line) => events.push(line),
    })
    t.ok(watching.now() >= leaseMs, `${watching.now()} ms were waited`)
    t.match(events.at(-1), /took over the lock of process \d+/)
    const held = token(directory)
    clock.skip(leaseMs)
    await t.rejects(first.check(), {
      code: 'KUN_LOCK_LOST',
      exitCode: 3,
      message: /is held by process .* another process may work on this run/,
    })
    await t.rejects(first.confirm(), LockLostError)
    await first.release()
    t.equal(token(directory), held, 'the lock of the second stays')
    t.ok(second.isTakenOver)
    await second.settle()
    await second.confirm()
    await second.release()
    t.same(readdirSync(directory), [])
  },
)

t.test('a holder finds out by its next renewal that it was taken over', async (t) => {
  const directory = t.testdir()
  const clock = new HandClock()
  const lost = new Promise<LockLostError>((resolve) => {
    void lockRunDirectory(directory, { holder: container, clock, wallNow, leaseMs, onLost: resolve }).then(async () => {
      const second = await lockRunDirectory(directory, { waitClock: new JumpingClock(), wallNow, leaseMs })
      clock.advance(renewMs)
      await lost
      await second.release()
    })
  })
  t.match(await lost, { code: 'KUN_LOCK_LOST', exitCode: 3 })
})

t.test('the fence of a commit sees a takeover that no renewal has found yet', async (t) => {
  const directory = t.testdir()
  const first = await lockRunDirectory(directory, { holder: container, clock: new HandClock(), wallNow, leaseMs })
  const second = await lockRunDirectory(directory, { waitClock: new JumpingClock(), wallNow, leaseMs })
  await first.check()
  await t.rejects(first.confirm(), { code: 'KUN_LOCK_LOST' })
  await second.release()
})

t.test('a run that was suspended for longer than its lease continues if no other process took over', async (t) => {
  const directory = t.testdir()
  const clock = new HandClock()
  const lock = await lockRunDirectory(directory, { clock, wallNow, leaseMs })
  const size = statSync(lockPath(directory)).size
  clock.skip(10 * leaseMs)
  await lock.check()
  t.equal(statSync(lockPath(directory)).size, size + 1, 'it was renewed first')
  await lock.confirm()
  await lock.release()
  t.same(readdirSync(directory), [])
})

t.test('a run that wakes in the middle of a takeover stops', async (t) => {
  const directory = t.testdir()
  const clock = new HandClock()
  const lock = await lockRunDirectory(directory, { clock, wallNow, leaseMs })
  clock.skip(leaseMs)
  writeFileSync(`${lockPath(directory)}.${token(directory)}`, 'the guard of the other process')
  await t.rejects(lock.check(), { code: 'KUN_LOCK_LOST', message: /being taken over/ })
  await lock.release()
  t.ok(existsSync(lockPath(directory)), 'left to the other process')
})

t.test('a suspended machine is detected by its wall clock if the monotonic clock stood still', async (t) => {
  const directory = t.testdir()
  let wallMs = 0
  const awake = { holder: container, clock: new HandClock(), wallNow: () => wallMs, leaseMs }
  const first = await lockRunDirectory(directory, awake)
  const second = await lockRunDirectory(directory, { waitClock: new JumpingClock(), wallNow, leaseMs })
  await first.check()
  wallMs += 3_600_000
  await t.rejects(first.check(), { code: 'KUN_LOCK_LOST' })
  await second.release()
})

t.test('a renewal that fails for a while is retried, and past the lease the run stops with exit code 3', async (t) => {
  for (const errno of ['ENOSPC', 'EIO', 'EDQUOT']) {
    const directory = t.testdir()
    const clock = new HandClock()
    let refuses = false
    let tries = 0
    const files = layer({
      open: async (path, mode) => {
        const file = await nodeFiles.open(path, mode)
        if (mode === 'read') return file
        return {
          path,
          read: (offset, length) => file.read(offset, length),
          write: async (bytes) => {
            tries++
            if (refuses) throw refusal(errno)
            await file.write(bytes)
          },
          truncate: (length) => file.truncate(length),
          fsync: () => file.fsync(),
          close: () => file.close(),
        }
      },
    })
    const lost = new Promise<LockLostError>((resolve) => {
      void lockRunDirectory(directory, { files, clock, wallNow, leaseMs, onLost: resolve }).then(async (lock) => {
        refuses = true
        for (let turn = 0; turn < 8; turn++) {
          const before = tries
          clock.advance(renewMs)
          while (tries === before) await setImmediate()
          await setImmediate()
          await lock.check()
        }
        clock.advance(leaseMs)
        await t.rejects(lock.check(), { code: 'KUN_LOCK_LOST', exitCode: 3, message: new RegExp(errno) }, errno)
        await lock.release()
      })
    })
    t.match(await lost, { code: 'KUN_LOCK_LOST', cause: { code: 'KUN_STORAGE', details: { errno } } })
  }
})

t.test(
  'a renewal that never returns, as over a stalled network file system, ends the run and does not hang it',
  async (t) => {
    const directory = t.testdir()
    const clock = new HandClock()
    let stalls = false
    const files = layer({
      open: async (path, mode) => {
        if (stalls) return new Promise(() => undefined)
        return nodeFiles.open(path, mode)
      },
    })
    const lock = await lockRunDirectory(directory, { files, clock, wallNow, leaseMs })
    stalls = true
    clock.skip(leaseMs)
    const checked = lock.check().catch((error: unknown) => error)
    for (let turn = 0; turn < 3; turn++) {
      await setImmediate()
      clock.advance(leaseMs / 3)
    }
    t.match(await checked, { code: 'KUN_LOCK_LOST', message: /could not be renewed in time/ })
  },
)

t.test('over NFS a link whose reply was lost counts as made', async (t) => {
  const directory = t.testdir()
  const files = layer({
    link: async (from, to) => {
      await nodeFiles.link(from, to)
      throw refusal('EEXIST')
    },
  })
  const lock = await lockRunDirectory(directory, { files })
  await t.rejects(lockRunDirectory(directory, { files }), RunLockedError)
  await lock.confirm()
  await lock.release()
  t.same(readdirSync(directory), [])
})

t.test('where files cannot be linked, the lock is created exclusively', async (t) => {
  for (const errno of ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']) {
    const directory = t.testdir()
    const files = layer({ link: () => Promise.reject(refusal(errno)) })
    const lock = await lockRunDirectory(directory, { files })
    await t.rejects(lockRunDirectory(directory, { files }), RunLockedError, errno)
    await t.rejects(lockRunDirectory(directory), RunLockedError, 'also for a process that can link')
    await lock.release()
    t.same(readdirSync(directory), [], errno)
  }
  const refused = layer({ link: () => Promise.reject(refusal('EIO')) })
  const directory = t.testdir()
  await t.rejects(lockRunDirectory(directory, { files: refused }), { code: 'KUN_STORAGE', details: { errno: 'EIO' } })
  t.same(readdirSync(directory), [])
})

t.test('a lock that a killed process left half written is taken over after a lease', async (t) => {
  for (const left of ['{"pid":12', '', '\0\0\0\0', 'null\n', '[1]\n'.slice(0, 3)]) {
    const directory = t.testdir({ 'lock.json': left })
    const clock = new JumpingClock()
    const events: string[] = []
    const waiting = lockRunDirectory(directory, {
      waitClock: clock,
      wallNow,
      leaseMs,
      onEvent: (line) => events.push(line),
    })
    if (left.endsWith('\n')) {
      await t.rejects(waiting, { code: 'KUN_RUN_LOCKED', message: /written by another version/ })
      continue
    }
    const lock = await waiting
    t.match(events[0], /held by an unknown process/)
    t.ok(clock.now() >= leaseMs)
    t.equal(JSON.parse(readFileSync(lockPath(directory), 'utf8').split('\n')[0] as string).pid, process.pid)
    await lock.settle()
    await lock.release()
    t.same(readdirSync(directory), [])
  }
})

t.test('a lock of a version that does not renew it is never taken over', async (t) => {
  const old = { pid: 1, started: '12', boot: 'b', host: 'h', token: 'abc' }
  const directory = t.testdir({ 'lock.json': `${JSON.stringify(old)}\n` })
  await t.rejects(lockRunDirectory(directory, { waitClock: new JumpingClock() }), {
    code: 'KUN_RUN_LOCKED',
    message: /written by another version.*Delete it/,
  })
  t.ok(existsSync(lockPath(directory)))
})

t.test('a lock held for weeks stays a small file', async (t) => {
  const directory = t.testdir()
  const clock = new HandClock()
  const files = new CrashingFiles(directory)
  const size = async () => (await files.sizeBytes(lockPath(directory))) ?? 0
  const lock = await lockRunDirectory(directory, { files, clock, wallNow, leaseMs })
  const start = await size()
  let most = 0
  for (let turn = 0; turn < 4200; turn++) {
    const before = await size()
    clock.advance(renewMs)
    while ((await size()) === before) await setImmediate()
    await setImmediate()
    most = Math.max(most, await size())
  }
  t.ok(most > start + 4000 && most <= start + 4096, `${most} bytes`)
  await lock.confirm()
  await lock.release()
  t.same(await files.list(directory), [])
})

t.test('the age of the last renewal is formatted in words, for any holder', async (t) => {
  const directory = t.testdir()
  t.equal(await lockHolder(directory), null)
  leave(directory, { ...me, boot: 'another', host: 'elsewhere' })
  const hoursAgo = Date.now() / 1000 - 5 * 3600
  utimesSync(lockPath(directory), hoursAgo, hoursAgo)
  t.match(await lockHolder(directory), { holder: { host: 'elsewhere' }, state: 'unknown' })
  const events: string[] = []
  const lock = await lockRunDirectory(directory, {
    waitClock: new JumpingClock(),
    onEvent: (line) => events.push(line),
  })
  t.match(events[0], /on elsewhere, which cannot be seen .* is 5 h old/)
  t.match(await lockHolder(directory), { holder: { pid: process.pid }, state: 'running' })
  await lock.release()
})

t.test(
  'of many processes that find a stale lock, one acquires it; guards of dead successors are removed',
  async (t) => {
    for (let round = 0; round < 20; round++) {
      const directory = t.testdir()
      const dead = { ...me, pid: 2 ** 22 + 1 }
      const stateOf = ({ pid }: Holder): HolderState => (pid === dead.pid ? 'gone' : 'running')
      leave(directory, dead)
      const guard = `lock.json.${token(directory)}`
      if (round % 2 === 1)
        writeFileSync(join(directory, guard), `${JSON.stringify({ ...dead, token: 't2', leaseMs })}\n`)
      const results = await Promise.allSettled([1, 2, 3, 4].map(() => lockRunDirectory(directory, { stateOf })))
      const winners = results.filter(({ status }) => status === 'fulfilled')
      if (winners.length !== 1) t.fail(`round ${round}: ${winners.length} got the lock`)
      for (const result of results) {
        if (result.status === 'rejected' && !(result.reason instanceof RunLockedError)) t.fail(`${result.reason}`)
        if (result.status === 'fulfilled') await result.value.release()
      }
      await (await lockRunDirectory(directory)).release()
      t.same(readdirSync(directory), [], `round ${round}`)
      rmSync(directory, { recursive: true })
    }
  },
)
