/**
 * Feeds the replies of servers and the outcomes of stages to the drift detector, and keeps the start of each stage in
 * the run directory. Never changes a reply or an outcome.
 */

import { Child } from '../../core/types.js'
import { CorruptFileError, type DriftError } from '../../errors.js'
import { characters, hanShare } from '../../kun/replies/language.js'
import { replyText } from '../../kun/replies/reply-text.js'
import type { KunStage } from '../../kun/types.js'
import { say } from '../../language/say.js'
import type { Answer, Call } from '../../llm/types.js'
import type { FileLayer } from '../../storage/files.js'
import { driftName } from '../../storage/run-layout.js'
import { DriftDetector, type DriftOptions, type Observation, type StageStart } from './detector.js'
import { readStarts, removeStarts, writeStarts } from './drift-file.js'
import { StartOrder } from './start-order.js'

/** A run directory in which the starts of stages are kept. */
interface DriftPlace {
  readonly files: FileLayer
  readonly directory: string
  readonly onEvent: (message: string) => void
}

/** Where the starts of stages are kept, if not in a run directory. */
export interface StartsPlace {
  /** Reads the starts by stage; empty if there are none. */
  read(): Promise<Readonly<Record<string, StageStart>>>
  /** Stores starts; returns those that count now, which may be those of another process. */
  write(starts: Readonly<Record<string, StageStart>>): Promise<Readonly<Record<string, StageStart>>>
  /** Deletes starts that cannot be read. */
  discard(): Promise<void>
  readonly onEvent: (message: string) => void
}

function directoryPlace({ files, directory, onEvent }: DriftPlace): StartsPlace {
  return {
    read: () => readStarts(files, directory),
    write: async (starts) => {
      await writeStarts(files, directory, starts)
      return starts
    },
    discard: () => removeStarts(files, directory),
    onEvent,
  }
}

/** A record of a stage. */
interface Identified {
  readonly id: string
}

export class DriftMonitor {
  readonly #options: DriftOptions | false
  #detector: DriftDetector | null
  /** Null until the run directory is open. */
  #place: StartsPlace | null = null
  #stagesSaved = 0
  #saving: Promise<void> = Promise.resolve()
  /** Replies of a server whose outcome is not known yet, by stage and record. */
  readonly #seen = new Map<string, Pick<Observation, 'hanShare' | 'chars' | 'wellFormed'>>()
  #onDrift: (error: DriftError) => void = () => undefined

  /** @param options false disables the detection */
  constructor(options: DriftOptions | false) {
    this.#options = options
    this.#detector = options === false ? null : new DriftDetector(options)
  }

  /** Compares with the starts that earlier calls of `run` stored in the directory, and stores those of this one. */
  open(place: DriftPlace): Promise<void> {
    return this.openAt(directoryPlace(place))
  }

  /** As `open`, for starts that are kept elsewhere. */
  async openAt(place: StartsPlace): Promise<void> {
    if (this.#options === false) return
    this.#place = place
    const from = await place.read().catch(async (error: Error) => {
      // Delete it: otherwise every call would report the same damage.
      if (error instanceof CorruptFileError) await place.discard()
      place.onEvent(say`cannot read ${driftName}, drift detection starts from scratch: ${error.message}`)
      return {}
    })
    this.#detector = new DriftDetector(this.#options, from)
    this.#stagesSaved = this.#detector.stagesKnown
  }

  start(onDrift: (error: DriftError) => void): void {
    this.#onDrift = onDrift
  }

  /** Waits until the starts are stored. */
  async close(): Promise<void> {
    await this.#saving
  }

  /** Measures an answer of a server. */
  answered({ stage, record }: Call, answer: Answer): void {
    if (this.#detector === null) return
    const text = 'reply' in answer ? replyText(answer.reply.text) : ''
    const seen = { chars: characters(text), wellFormed: 'reply' in answer }
    this.#seen.set(`${stage} ${record}`, text === '' ? seen : { ...seen, hanShare: hanShare(text) })
  }

  /** Wraps a stage: observes its outcomes, in the order in which its records started. */
  stage<In extends Identified, Out extends Identified>(stage: KunStage<In, Out>): KunStage<In, Out> {
    if (this.#detector === null) return stage
    const order = new StartOrder<Observation>((observation) => this.#observe(observation))
    return {
      ...stage,
      run: async (input, call) => {
        const ended = order.start()
        let observed: Observation[] = []
        try {
          const outcome = await stage.run(input, call)
          const decided: [id: string, kept: boolean][] =
            'emit' in outcome
              ? outcome.emit.map((out) => (out instanceof Child ? [out.value.id, false] : [out.id, true]))
              : [[input.id, false]]
          observed = decided.flatMap(([id, kept]) => this.#decided(stage.name, id, kept))
          return outcome
        } finally {
          ended(observed)
        }
      },
    }
  }

  /** Returns nothing for a record of which no server was asked. */
  #decided(stage: string, record: string, kept: boolean): Observation[] {
    const key = `${stage} ${record}`
    const seen = this.#seen.get(key)
    if (seen === undefined) return []
    this.#seen.delete(key)
    return [{ stage, kept, ...seen }]
  }

  #observe(observation: Observation): void {
    if (this.#detector === null) return
    const drift = this.#detector.observe(observation)
    if (drift === null) this.#saveStarts(this.#detector)
    else this.#onDrift(drift)
  }

  #saveStarts(detector: DriftDetector): void {
    if (this.#place === null || detector.stagesKnown === this.#stagesSaved) return
    const place = this.#place
    const starts = detector.starts()
    this.#stagesSaved = detector.stagesKnown
    this.#saving = this.#saving
      .then(async () => detector.adopt(await place.write(starts)))
      .catch((error: Error) =>
        place.onEvent(
          say`cannot write ${driftName}, the next call starts drift detection from scratch: ${error.message}`,
        ),
      )
  }
}
