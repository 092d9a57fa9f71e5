/**
 * Watches what models answer while a run works, and stops it where the recipe says so: when replies change character, or
 * when tokens or hours are used up. It never alters an answer or an outcome; all it can do is ask for a stop.
 */

import { Child } from '../../core/types.js'
import { CorruptFileError, DriftError, type KunStreamError, LimitError } from '../../errors.js'
import { characters, hanShare } from '../../kun/language.js'
import { replyText } from '../../kun/reply-text.js'
import type { KunStage, Pair } from '../../kun/types.js'
import type { Answer, Call, Model } from '../../llm/types.js'
import type { FileLayer } from '../../storage/files.js'
import { type DriftDetector, type DriftOptions, driftDetector, type Observation } from './detector.js'
import { readStarts, removeStarts, writeStarts } from './drift-file.js'

export interface DriftMonitorOptions {
  /** False watches no drift. */
  readonly brakes: DriftOptions | false
  readonly tokensMax: number
  readonly hoursMax: number
}

export interface DriftPlace {
  readonly files: FileLayer
  readonly directory: string
  readonly onEvent: (message: string) => void
}

/** The largest delay of a timer, ms: longer ones would end at once. */
const timerMsMax = 2 ** 31 - 1

export class DriftMonitor {
  #brakes: DriftDetector | null
  /** Where the starts of stages are kept; null until the run directory is open. */
  #place: DriftPlace | null = null
  #stagesSaved = 0
  #saving: Promise<void> = Promise.resolve()
  /** Calls answered by a server just now whose stage has not decided yet: what was seen of the reply, by record. */
  readonly #seen = new Map<string, Pick<Observation, 'hanShare' | 'chars' | 'wellFormed'>>()
  #tokens: () => number = () => 0
  #onStop: (reason: KunStreamError) => void = () => undefined
  #timer: NodeJS.Timeout | null = null
  /** Set by a stop: settles when the requests under way have reached the replies. */
  #draining: Promise<unknown> | null = null

  constructor(private readonly options: DriftMonitorOptions) {
    this.#brakes = options.brakes === false ? null : driftDetector(options.brakes)
  }

  /** @param tokens received so far by this call of the run */
  start(tokens: () => number, onStop: (reason: KunStreamError) => void): void {
    this.#tokens = tokens
    this.#onStop = onStop
    const { hoursMax } = this.options
    if (Number.isFinite(hoursMax)) this.#stopAfter(hoursMax * 3_600_000)
  }

  /** Judges by the starts that earlier calls of `run` saw in this directory, and keeps those of this one there. */
  async keepStarts(place: DriftPlace): Promise<void> {
    if (this.options.brakes === false) return
    this.#place = place
    const from = await readStarts(place.files, place.directory).catch(async (error: Error) => {
      // Delete it: otherwise every call would report the same damage.
      if (error instanceof CorruptFileError) await removeStarts(place.files, place.directory)
      place.onEvent(`brakes.json cannot be read, the brakes begin anew: ${error.message}`)
      return {}
    })
    this.#brakes = driftDetector(this.options.brakes, from)
    this.#stagesSaved = this.#brakes.stagesKnown
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    await this.#saving
  }

  /** From now on a call that is turned away waits for `drained` before it fails: the run must not end before. */
  drain(drained: Promise<unknown>): void {
    this.#draining = drained
  }

  /** The same model, its answers looked at. */
  model(model: Model): Model {
    return {
      name: model.name,
      capabilities: model.capabilities,
      ask: async (call) => {
        try {
          const answer = await model.ask(call)
          if (!answer.kept) this.#answered(call, answer)
          return answer
        } catch (error) {
          await this.#draining?.catch(() => undefined) // whoever asked for the stop gets it
          throw error
        }
      },
    }
  }

  /** The same stage, its outcomes looked at. */
  stage<In, Out>(stage: KunStage<In, Out>): KunStage<In, Out> {
    if (this.#brakes === null) return stage
    return {
      ...stage,
      run: async (input, call) => {
        const outcome = await stage.run(input, call)
        if (!('emit' in outcome)) this.#decided(stage.name, (input as Partial<Pair>).id, false)
        else {
          for (const emitted of outcome.emit) {
            const child = emitted instanceof Child
            this.#decided(stage.name, ((child ? emitted.value : emitted) as Partial<Pair>).id, !child)
          }
        }
        return outcome
      },
    }
  }

  #answered({ stage, record }: Call, answer: Answer): void {
    const { tokensMax } = this.options
    if (Number.isFinite(tokensMax)) {
      const tokens = this.#tokens()
      if (tokens >= tokensMax) this.#onStop(limit('tokensMax', tokensMax, `${tokens.toLocaleString('en-US')} tokens`))
    }
    if (this.#brakes === null) return
    const text = 'reply' in answer ? replyText(answer.reply.text) : ''
    const seen = { chars: characters(text), wellFormed: 'reply' in answer }
    this.#seen.set(`${stage} ${record}`, text === '' ? seen : { ...seen, hanShare: hanShare(text) })
  }

  #decided(stage: string, record: string | undefined, kept: boolean): void {
    const key = `${stage} ${record}`
    const seen = this.#seen.get(key)
    if (seen === undefined) return
    this.#seen.delete(key)
    try {
      this.#brakes?.observe({ stage, kept, ...seen })
      this.#saveStarts()
    } catch (error) {
      if (!(error instanceof DriftError)) throw error
      this.#onStop(error)
    }
  }

  #saveStarts(): void {
    if (this.#brakes === null || this.#place === null || this.#brakes.stagesKnown === this.#stagesSaved) return
    const { files, directory, onEvent } = this.#place
    const starts = this.#brakes.starts()
    this.#stagesSaved = this.#brakes.stagesKnown
    this.#saving = this.#saving
      .then(() => writeStarts(files, directory, starts))
      .catch((error: Error) => onEvent(`brakes.json is not written, the next call begins anew: ${error.message}`))
  }

  #stopAfter(leftMs: number): void {
    this.#timer = setTimeout(
      () => {
        if (leftMs > timerMsMax) this.#stopAfter(leftMs - timerMsMax)
        else this.#onStop(limit('hoursMax', this.options.hoursMax, `${this.options.hoursMax} hours`))
      },
      Math.min(leftMs, timerMsMax),
    )
    this.#timer.unref()
  }
}

function limit(name: 'tokensMax' | 'hoursMax', max: number, reached: string): LimitError {
  return new LimitError(
    `limits.${name} is reached: ${reached} in this call. Run again to go on for as much, or set a higher limit`,
    { details: { limit: name, max } },
  )
}
