/** Serves the page of a run: its view from the directory, its state once a second, search, and the buttons. */
import { EventEmitter, once } from 'node:events'
import { z } from 'zod'
import { UsageError } from '../errors.js'
import { processLanguage } from '../language/language.js'
import { say } from '../language/say.js'
import { pageText } from './page-file.js'
import { type PageServer, startPageServer } from './page-server.js'
import { RunReader } from './reader.js'
import type { ControlAction, LiveView } from './view.js'

const liveEveryMs = 1_000
/** Wait for the last view of open pages when the run has ended. */
const lastViewMsMax = 5_000

/** A run whose state the page shows. */
export interface LiveSource {
  live(): Promise<LiveView>
  control(action: ControlAction): Promise<void>
}

interface RunPagesOptions {
  readonly directory: string
  readonly port: number
  readonly portOption: string
}

const query = z.object({
  kind: z.enum(['rows', 'rejects']),
  text: z.string().max(200).default(''),
  split: z.string().max(200).default(''),
  reason: z.string().max(200).default(''),
  from: z.coerce.number().int().min(0).default(0),
})
const control = z.object({ action: z.enum(['pause', 'resume', 'drain']) })

/** A server of the page of a run. The run may be attached after the start: the port is taken before anything is written. */
export class RunPages {
  readonly #server: PageServer
  readonly #reader: RunReader
  /** Emits 'served' when a view was sent. */
  readonly #views: EventEmitter
  readonly #attached: { source: LiveSource | null }

  private constructor(
    server: PageServer,
    reader: RunReader,
    attached: { source: LiveSource | null },
    views: EventEmitter,
  ) {
    this.#views = views
    this.#server = server
    this.#reader = reader
    this.#attached = attached
  }

  /** @throws {UsageError} the port is in use */
  static async start({ directory, port, portOption }: RunPagesOptions): Promise<RunPages> {
    const reader = new RunReader(directory)
    const attached: { source: LiveSource | null } = { source: null }
    const views = new EventEmitter()
    const server = await startPageServer({
      port,
      portOption,
      page: () => pageText({ page: 'run', language: processLanguage() === 'zh' ? 'zh' : null, view: null }),
      get: {
        view: async () => {
          const view = await reader.view()
          // In a later turn: the response is then on its way.
          setImmediate(() => views.emit('served'))
          return view
        },
        search: (values) => reader.search(checked(query, Object.fromEntries(values))),
      },
      post: {
        control: async (body) => {
          const { action } = checked(control, body)
          if (attached.source === null) throw new UsageError(say`the run has not started yet`)
          await attached.source.control(action)
          return { done: true }
        },
      },
      event: { everyMs: liveEveryMs, read: async () => (await attached.source?.live()) ?? null },
    })
    return new RunPages(server, reader, attached, views)
  }

  get url(): string {
    return this.#server.url
  }

  attach(source: LiveSource): void {
    this.#attached.source = source
  }

  /** Sends the last state to the open pages, and closes the server. */
  async close(): Promise<void> {
    const last = await this.#attached.source?.live().catch(() => null) // the pages show the state before
    if (last != null && this.#server.listeners > 0) {
      // The open pages request the view once more: it then has the last commit.
      const served = once(this.#views, 'served', { signal: AbortSignal.timeout(lastViewMsMax) })
      this.#server.send({ ...last, controls: [], revision: 'end' })
      await served.catch(() => undefined) // a page that does not ask is closed without it
    }
    await this.#server.close()
    await this.#reader.close()
  }
}

function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const { data, error } = schema.safeParse(value)
  if (error !== undefined)
    throw new UsageError(say`the request of the page is not valid: ${error.issues[0]?.message ?? ''}`)
  return data
}
