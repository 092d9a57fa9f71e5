import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { HandClock } from '../../bench/hand-clock.js'
import { parquetEncoder } from '../../lib/parquet/encoders/index.js'
import { PartWriter } from '../../lib/parquet/part-writer.js'
import {
  type CutWriter,
  openCutWriter,
  openRunDirectory,
  type RunDirectory,
  readManifest,
  verifyRun,
} from '../../lib/sinks/index.js'
import { openAppendLog, readAppendLog } from '../../lib/storage/append-log.js'
import { type FileLayer, nodeFiles, type OpenFile, storageError } from '../../lib/storage/files.js'
import { type Holder, thisProcess } from '../../lib/storage/lock/lock-holder.js'
import { JumpingClock } from '../support/jumping-clock.js'

const record = { pinned: { seed: 1 }, free: {} }
const leaseMs = 60_000
const wallNow = () => 0
const encoder = await parquetEncoder()
const columns = [{ name: 'id', type: 'string' as const }]
const header = { kind: 'test' }
/** The holder as seen from another container. */
const container: Holder = { ...thisProcess(), namespace: 'pid:[1]' }

/** Stops one operation of a file layer directly before it reaches the system: after every check of the product. */
class Gate {
  readonly reached: Promise<void>
  open: () => void = () => undefined
  #armed: string | null = null
  readonly #opened: Promise<void>
  #reach: () => void = () => undefined

  constructor() {
    this.reached = new Promise((resolve) => {
      this.#reach = resolve
    })
    this.#opened = new Promise((resolve) => {
      this.open = resolve
    })
  }

  /** @param operation 'write manifest.jsonl': the next one stops */
  arm(operation: string): void {
    this.#armed = operation
  }

  files(): FileLayer {
    const passed = async <T>(operation: string, path: string, work: () => Promise<T>): Promise<T> => {
      if (this.#armed !== null && `${operation} ${path}`.match(this.#armed)) {
        this.#armed = null
        this.#reach()
        await this.#opened
      }
      return work()
    }
    const opened = (file: OpenFile): OpenFile => ({
      path: file.path,
      read: (offset, lengthBytes) => file.read(offset, lengthBytes),
      write: (bytes) => passed('write', file.path, () => file.write(bytes)),
      truncate: (lengthBytes) => passed('truncate', file.path, () => file.truncate(lengthBytes)),
      fsync: () => file.fsync(),
      close: () => file.close(),
    })
    return {
      ...nodeFiles,
      open: (path, mode) => passed('open', path, async () => opened(await nodeFiles.open(path, mode))),
      link: (from, to) => passed('link', to, () => nodeFiles.link(from, to)),
    }
  }
}

/** A run in another container, which stops at the gate. */
function suspendable(directory: string, gate: Gate): Promise<RunDirectory> {
  const lock = { holder: container, clock: new HandClock(), wallNow, leaseMs }
  return openRunDirectory({ directory, record, files: gate.files(), lock })
}

function successor(directory: string, files: FileLayer = nodeFiles): Promise<RunDirectory> {
  return openRunDirectory({ directory, record, files, lock: { waitClock: new JumpingClock(), wallNow, leaseMs } })
}

function writerOf({ directory, files, last, lock }: RunDirectory): Promise<CutWriter> {
  return openCutWriter({ files, directory, columns, splits: ['s'], encoder, from: last, fence: () => lock.confirm() })
}

async function commit(writer: CutWriter, rows: number): Promise<unknown> {
  const { cut } = writer
  for (let row = 0; row < rows; row++) await writer.row('s', { id: `${cut}-${row}`.padStart(32, '0') })
  const counters = { s: { rows: (cut + 1) * rows } }
  return writer.commit({ blocks: cut + 1, cursor: null, dedupLogBytes: 0, counters })
}

async function mustHoldOneCut(t: Test, directory: string, rows: number): Promise<void> {
  const cuts = await readManifest(directory)
  t.match(cuts, [{ cut: 0, files: [{ rows }] }])
  t.equal(cuts.length, 1)
  const [part] = readdirSync(join(directory, 'data'))
  t.equal(readFileSync(join(directory, 'data', part as string)).length, cuts[0]?.files[0]?.bytes)
  const { findings } = await verifyRun(directory)
  t.same(
    findings.filter(({ file }) => /data|manifest/.test(String(file))),
    [],
  )
  t.same(
    readdirSync(directory).filter((name) => /lock|writing/.test(name)),
    [],
  )
}

for (const place of ['write .*manifest\\.jsonl$', 'link .*\\.parquet$']) {
  t.test(`a run that is suspended at '${place}' and taken over changes nothing when it wakes`, async (t) => {
    const directory = t.testdir()
    const gate = new Gate()
    const first = await suspendable(directory, gate)
    const late = await writerOf(first)
    gate.arm(place)
    const lateCommit = commit(late, 3).then(
      () => null,
      (error: unknown) => error,
    )
    await gate.reached
    const second = await successor(directory)
    const writer = await writerOf(second)
    await commit(writer, 2)
    gate.open()
    t.match(await lateCommit, { code: 'KUN_LOCK_LOST' })
    await late.abandon().catch(() => undefined)
    await first.close()
    await second.close()
    await mustHoldOneCut(t, directory, 2)
  })
}

t.test('after a takeover, appends of the former holder do not reach the logs', async (t) => {
  for (const name of ['dedup/index', 'dedup/index.texts', 'replies/000003.log']) {
    const directory = t.testdir({})
    const path = join(directory, name)
    mkdirSync(dirname(path), { recursive: true })
    const gate = new Gate()
    const first = await suspendable(directory, gate)
    const log = await openAppendLog({ files: first.files, path, header })
    log.append(Buffer.from('of both'))
    await log.flush()
    gate.arm(`write .*${name}`)
    log.append(Buffer.from('too late'))
    const late = log.flush().catch((error: unknown) => error)
    await gate.reached
    const second = await successor(directory)
    const continued = await openAppendLog({ files: second.files, path, header })
    continued.append(Buffer.from('of the second'))
    await continued.flush()
    gate.open()
    await late
    continued.append(Buffer.from('and more'))
    await continued.close()
    const found: string[] = []
    const { damage, tornBytes } = await readAppendLog({ files: nodeFiles, path }, (payload) => {
      found.push(Buffer.from(payload).toString())
    })
    t.same(
      { damage, tornBytes, found },
      { damage: null, tornBytes: 0, found: ['of both', 'of the second', 'and more'] },
    )
    await log.close().catch(() => undefined)
    await first.close()
    await second.close()
  }
})

t.test(
  'a run that wakes to the files of its successor says that it lost its lock, not that they are wrong',
  async (t) => {
    const directory = t.testdir()
    await (await openRunDirectory({ directory, record })).close()
    const gate = new Gate()
    gate.arm('open .*run\\.json$')
    const first = suspendable(directory, gate).catch((error: unknown) => error)
    await gate.reached
    const second = await openRunDirectory({
      ...{ directory, record: { pinned: { seed: 2 }, free: {} }, fresh: 'discard' },
      lock: { waitClock: new JumpingClock(), wallNow, leaseMs },
    })
    gate.open()
    t.match(await first, { code: 'KUN_LOCK_LOST' })
    await second.close()
  },
)

t.test('a successor that dies in the middle of its takeover leaves the rest of it to the next one', async (t) => {
  const directory = t.testdir()
  const gate = new Gate()
  const first = await suspendable(directory, gate)
  const late = await writerOf(first)
  gate.arm('write .*manifest\\.jsonl$')
  const lateCommit = commit(late, 3).catch((error: unknown) => error)
  await gate.reached
  const refused = storageError('rename', 'manifest.jsonl', Object.assign(new Error('EIO'), { code: 'EIO' }))
  const failing: FileLayer = {
    ...nodeFiles,
    rename: (from, to) => (to.endsWith('manifest.jsonl') ? Promise.reject(refused) : nodeFiles.rename(from, to)),
  }
  await t.rejects(successor(directory, failing), { code: 'KUN_STORAGE' })
  t.notOk(existsSync(join(directory, 'lock.json')), 'the next one finds no lock')
  const third = await successor(directory)
  await commit(await writerOf(third), 2)
  gate.open()
  t.match(await lateCommit, { code: 'KUN_LOCK_LOST' })
  await first.close()
  await third.close()
  await mustHoldOneCut(t, directory, 2)
})

t.test('a part never overwrites a file of the same name, with or without hard links', async (t) => {
  const unlinked: FileLayer = {
    ...nodeFiles,
    link: (_, to) => Promise.reject(storageError('link', to, Object.assign(new Error('EPERM'), { code: 'EPERM' }))),
  }
  for (const files of [nodeFiles, unlinked]) {
    const directory = t.testdir({ data: {} })
    const path = 'data/s-000000-000.parquet'
    const open = () => PartWriter.open({ files, directory, path, split: 's', columns, encoder, rowGroupBytesMax: 1024 })
    const part = await open()
    await part.add(['a'])
    await part.seal()
    await part.publish()
    t.same(readdirSync(join(directory, 'data')), ['s-000000-000.parquet'])
    writeFileSync(join(directory, path), 'of another process')
    const other = await open()
    await other.add(['b'])
    await other.seal()
    await t.rejects(other.publish(), { code: 'KUN_LOCK_LOST', message: /000000-000\.parquet is there already/ })
    t.equal(readFileSync(join(directory, path), 'utf8'), 'of another process')
    await other.discard()
  }
})

t.test('--fresh --force deletes nothing of a run that another process works on', async (t) => {
  const directory = t.testdir()
  const run = await openRunDirectory({ directory, record })
  const writer = await writerOf(run)
  await commit(writer, 2)
  for (const fresh of ['discard', 'refuse'] as const) {
    await t.rejects(openRunDirectory({ directory, record, fresh }), { code: 'KUN_RUN_LOCKED' })
  }
  await writer.abandon()
  await run.close()
  await mustHoldOneCut(t, directory, 2)
})
