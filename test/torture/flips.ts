/**
 * Flips one bit at a random place of a random durable file of a run that was killed or came to its end. `verify` must
 * report the file; then the run must end with the bytes of the undisturbed one, or be refused with an error of ours that
 * names the file. Model replies follow from the request alone here, so that what is requested again is the same.
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { decodeKept } from '../../lib/dedup/kept-frames.js'
import { KunStreamError } from '../../lib/errors.js'
import { publish } from '../../lib/publish/publish.js'
import { readState } from '../../lib/publish/state.js'
import { verifyDirectory } from '../../lib/run/verify.js'
import { startHub } from '../../lib/simulator/hub/index.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { type Finding, readManifest } from '../../lib/sinks/index.js'
import { readAppendLog } from '../../lib/storage/append-log.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { Random } from '../support/random.js'
import { bytesOf, startTiny } from '../support/session.js'
import { overrides } from './forms.js'
import { live } from './processes.js'

export interface FlipOptions {
  readonly flips: number
  readonly seed: number
  /** Scratch space; the directory of a flip that shows a fault is left there. */
  readonly directory: string
  readonly say?: (line: string) => void
}

export interface FlipReport {
  readonly flips: number
  /** Flips by kind of file. */
  readonly files: Readonly<Record<string, number>>
  /** How they ended: 'same bytes', 'refused', 'reported by verify again', 'without effect'. */
  readonly outcomes: Readonly<Record<string, number>>
  /** What did not hold; empty when all is well. */
  readonly faults: readonly string[]
}

const replySegmentBytes = 24 * 1024
/** A run that takes longer after a flip hangs. */
const runMsMax = 120_000
/** Cuts after which a base run is killed, besides the one that comes to its end. */
const killsAfterCuts = [1, 4] as const
/** Known early, so that brakes.json is there, and never in the way. */
const brakes = 'brakes={"windowRecords":20,"shareFallMax":1,"shareRatioMin":0,"lengthRatioMax":1000}'

interface Base {
  readonly path: string
  readonly name: string
  /** Findings of verify before any flip: what a kill leaves. */
  readonly before: readonly Finding[]
  readonly committed: Readonly<Record<string, number>>
}

export async function flipBits(options: FlipOptions): Promise<FlipReport> {
  const { flips, seed, directory, say = () => undefined } = options
  const random = new Random(seed)
  if (flips === 0) return { flips, files: {}, outcomes: {}, faults: [] }
  mkdirSync(directory, { recursive: true })
  const server = await startSimulator({ seed })
  try {
    const flipping = new Flipping(directory, server.url, random)
    const bases = await flipping.bases()
    const files: Record<string, number> = {}
    const outcomes: Record<string, number> = {}
    const faults: string[] = []
    for (let flip = 0; flip < flips; flip++) {
      const base = bases[flip % bases.length] as Base
      const { file, outcome, fault } = await flipping.flip(base, flip)
      const kind = file.replace(/\d+-\d+\.parquet|\d+(?=\.)/, 'N').replace(/\/[\w.]+-N$/, '/N')
      files[kind] = (files[kind] ?? 0) + 1
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
      if (fault !== null) faults.push(`flip ${flip} (${base.name}, ${file}): ${fault}`)
      if ((flip + 1) % 10 === 0) say(`${flip + 1} of ${flips} flips, ${faults.length} faults`)
    }
    return { flips, files, outcomes, faults }
  } finally {
    await server.close()
  }
}

interface Flipped {
  readonly file: string
  readonly outcome: string
  readonly fault: string | null
}

class Flipping {
  #expected = ''

  constructor(
    private readonly directory: string,
    private readonly url: string,
    private readonly random: Random,
  ) {}

  /** Killed ones, and one that ended and was published. */
  async bases(): Promise<Base[]> {
    const bases: Base[] = []
    for (const cuts of [...killsAfterCuts, null]) {
      const name = cuts === null ? 'ended' : `killed after ${cuts} cuts`
      const path = join(this.directory, name.replaceAll(' ', '-'))
      const killAt = cuts === null ? null : ({ step: 'manifest-fsync', when: 'after', cutsAhead: cuts - 1 } as const)
      await live({ directory: path, endpoint: this.url, set: this.#set(), through: null, archive: null, killAt })
      if (cuts === null) await this.#publish(path)
      const { findings: before } = await verifyWithState(path)
      bases.push({ path, name, before, committed: await committedLengths(path) })
    }
    this.#expected = JSON.stringify(bytesOf((bases.at(-1) as Base).path))
    return bases
  }

  async flip(base: Base, number: number): Promise<Flipped> {
    const path = join(this.directory, `flip-${number}`)
    cpSync(base.path, path, { recursive: true, preserveTimestamps: true })
    // The process that held it is gone; how locks are taken over is another test.
    for (const name of readdirSync(path)) if (name.startsWith('lock')) rmSync(join(path, name), { recursive: true })
    const file = this.#anyFile(path)
    const { at, keptTimes } = this.#flipIn(join(path, file))
    const outcome = await this.#judge(path, base, { file, at, keptTimes })
    if (outcome.fault === null) rmSync(path, { recursive: true })
    return { ...outcome, file }
  }

  async #judge(
    path: string,
    { before, committed }: Base,
    { file, at, keptTimes }: { readonly file: string; readonly at: number; readonly keptTimes: boolean },
  ): Promise<Omit<Flipped, 'file'>> {
    const reported = newFindings((await verifyWithState(path)).findings, before).filter((each) => each.file === file)
    const ended = await this.#resume(path)
    if (ended instanceof KunStreamError) {
      const names = ended.message.includes(basename(file))
      const fault = !names
        ? `refused without its name: ${ended.message}`
        : reported.length === 0
          ? 'verify does not report it'
          : null
      return { outcome: 'refused', fault }
    }
    if (ended !== null) return { outcome: 'failed', fault: String(ended) }
    const sameBytes = JSON.stringify(bytesOf(path)) === this.#expected
    if (reported.length === 0) {
      // Behind what is committed, or in a tail that was torn before the flip.
      const wasTorn = before.some((each) => each.file === file)
      const free = sameBytes && (wasTorn || at >= (committed[file] ?? Number.POSITIVE_INFINITY))
      return { outcome: 'without effect', fault: free ? null : `verify does not report byte ${at}` }
    }
    const after = (await verifyWithState(path)).findings.filter(({ severity }) => severity === 'error')
    const again = after.filter((each) => each.file === file)
    const others = after.filter((each) => each.file !== file)
    // A part whose times are old is not read by a run; publish and mirror read it. publish.json is read by publish.
    const isLeft = file === 'publish.json' || (keptTimes && file.endsWith('.parquet'))
    if (isLeft && again.length > 0) return { outcome: 'reported by verify again', fault: null }
    if (others.length > 0) return { outcome: 'failed', fault: `after the run: ${JSON.stringify(others)}` }
    if (again.length === 0) return { outcome: 'same bytes', fault: sameBytes ? null : 'the run ended with other bytes' }
    return { outcome: 'reported by verify again', fault: `not repaired: ${again[0]?.what}` }
  }

  /** Null at its end, else what it threw. */
  async #resume(directory: string): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined
    try {
      const session = { replySegmentBytes, onEvent: () => undefined }
      const run = await startTiny({ directory, endpoint: this.url, set: this.#set(), small: true, session })
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          const reason = new KunStreamError(`the run did not end within ${runMsMax} ms`)
          run.abort(reason)
          reject(new Error(reason.message))
        }, runMsMax)
      })
      await Promise.race([run.done, late])
      return null
    } catch (error) {
      return error
    } finally {
      clearTimeout(timer)
    }
  }

  #set(): string[] {
    return [...overrides(this.url), brakes]
  }

  /** Any durable file, each kind as often: a run has many parts and one run.json. */
  #anyFile(path: string): string {
    const below = (folder: string): string[] =>
      existsSync(join(path, folder)) ? readdirSync(join(path, folder)).map((name) => `${folder}/${name}`) : []
    const kinds = [
      below('data'),
      below('rejects'),
      below('replies').filter((name) => name.endsWith('.log')),
      below('replies').filter((name) => name.endsWith('.pack')),
      ['dedup/index'],
      ['dedup/index.texts'],
      ...['manifest.jsonl', 'run.json', 'brakes.json', 'stats.json', 'publish.json'].map((name) => [name]),
    ].map((names) => names.filter((name) => existsSync(join(path, name)) && statSync(join(path, name)).size > 0))
    const filled = kinds.filter((names) => names.length > 0)
    const names = filled[this.random.between(0, filled.length - 1)] as string[]
    return names[this.random.between(0, names.length - 1)] as string
  }

  #flipIn(path: string): { at: number; keptTimes: boolean } {
    const bytes = readFileSync(path)
    const { atime, mtime } = statSync(path)
    const at = this.random.between(0, bytes.length - 1)
    bytes[at] = (bytes[at] as number) ^ (1 << this.random.between(0, 7))
    writeFileSync(path, bytes)
    // As a disk does it; a program that writes leaves another time.
    const keptTimes = this.random.between(0, 1) === 1
    if (keptTimes) utimesSync(path, atime, mtime)
    return { at, keptTimes }
  }

  async #publish(directory: string): Promise<void> {
    const hub = await startHub({ directory: `${directory}-hub` })
    try {
      await publish({ directory, repo: 'me/kun-demo', hubUrl: hub.url, token: 'hf_writer' })
    } finally {
      await hub.close()
    }
  }
}

function verifyWithState(directory: string): ReturnType<typeof verifyDirectory> {
  return verifyDirectory(directory, {
    checkMore: async () => {
      const error = await readState(directory).then(
        () => null,
        (error: Error) => error,
      )
      return error === null
        ? []
        : [{ severity: 'error', file: 'publish.json', what: error.message, repair: 'delete it' }]
    },
  })
}

function newFindings(now: readonly Finding[], before: readonly Finding[]): readonly Finding[] {
  return now.filter(({ file, what }) => !before.some((each) => each.file === file && each.what === what))
}

/** Lengths of both dedup logs at the last cut: what follows is cut when the run is opened, and nothing reads it. */
async function committedLengths(directory: string): Promise<{ 'dedup/index': number; 'dedup/index.texts': number }> {
  const index = (await readManifest(directory)).at(-1)?.dedupLogBytes ?? 0
  let texts = 0
  const log = { files: nodeFiles, path: join(directory, 'dedup', 'index'), untilBytes: index }
  await readAppendLog(log, (payload) => {
    texts = decodeKept(payload).textsBytes
  })
  return { 'dedup/index': index, 'dedup/index.texts': texts }
}
