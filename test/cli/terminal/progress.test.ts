import { EventEmitter } from 'node:events'
import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { Progress, type ProgressState } from '../../../lib/cli/terminal/progress.js'
import { RunState } from '../../../lib/cli/terminal/run-state.js'
import type { KunRunProgress } from '../../../lib/run/run.js'

process.env.TERM = 'xterm'

const escapeCharacter = '\x1b'
const erasures = new RegExp(`(\\r${escapeCharacter}\\[2K|(?:${escapeCharacter}\\[1A${escapeCharacter}\\[2K)+|\\n)`)

/** As much of a terminal as the live block needs: it breaks long lines anew when it is resized, and shows ^C. */
class Terminal extends EventEmitter {
  readonly isTTY = true
  /** Whole lines, each in as many rows as it needs; the last one is where the cursor is. */
  lines = ['']
  constructor(public columns: number) {
    super()
  }

  write(text: string): boolean {
    for (const part of text.split(erasures)) {
      if (part.startsWith('\x1b[1A')) this.#eraseRows(part.split('\x1b[1A').length - 1)
      else if (part === '\n') this.lines.push('')
      else if (part.startsWith('\r')) this.lines[this.lines.length - 1] = ''
      else this.lines[this.lines.length - 1] += stripVTControlCharacters(part)
    }
    return true
  }

  /** Above that of the cursor. */
  #eraseRows(rows: number): void {
    const cursor = this.lines.pop()
    if (cursor !== '') throw new Error(`${JSON.stringify(cursor)} would stay`)
    let left = rows
    while (left > 0) left -= Math.max(1, Math.ceil((this.lines.pop() ?? '').length / this.columns))
    if (left < 0) throw new Error('half a line was erased')
    this.lines.push('')
  }

  blocks(): number {
    return this.lines.filter((line) => /^ +stage/.test(line)).length
  }
}

const state: ProgressState = {
  stages: ['read', 'prepare', 'dedup'].map((name) => ({
    name,
    in: 1_234_567,
    out: 1_200_000,
    inFlight: 64,
    waitingOn: 'model servers',
    isBottleneck: name === 'dedup',
  })),
  endpoints: [
    'localhost:8000  412 of 512 in flight, 410 running, 38 waiting, KV 81 %, and more than there is room for',
  ],
  bottleneck: 'model servers',
  readBytes: 10,
  totalBytes: 100,
  tokens: 5,
  cuts: 2,
  note: '',
}

t.test('the live block is erased completely after a resize, a printed line, or ^C', async (t) => {
  const terminal = new Terminal(120)
  let show = (): void => undefined
  t.intercept(globalThis, 'setInterval', {
    value: (work: () => void) => {
      show = work
      return { unref: () => undefined }
    },
  })
  t.intercept(globalThis, 'clearInterval', { value: () => undefined })
  const progress = new Progress(() => state, terminal as unknown as WriteStream)
  terminal.write('before\n')
  progress.start()
  for (const columns of [120, 80, 41, 25, 10, 60, 200, 33]) {
    show()
    t.equal(terminal.blocks(), 1, `one block, ${terminal.columns} columns`)
    terminal.columns = columns
    show()
    t.equal(terminal.blocks(), 1, `one block, made ${columns} columns wide`)
  }
  progress.print('a server is down')
  show()
  terminal.write('^C')
  show()
  progress.print('waiting for the requests in flight')
  show()
  t.equal(terminal.blocks(), 1)
  progress.stop()
  t.strictSame(terminal.lines, ['before', 'a server is down', 'waiting for the requests in flight', ''])
})

t.test('bytes read by earlier calls of run count as read', async (t) => {
  const metrics = { nodes: [], reorderPeakBytes: 0 }
  const servers = { endpoints: [], waiting: 0, tokens: 0, retries: 0, keptServed: 0 }
  const progress = () => ({ metrics, servers, readBytes: 5, cuts: 1, counters: {} }) as unknown as KunRunProgress
  t.match(new RunState({ progress, bytesDone: 40 }, 100).read(), { readBytes: 45, totalBytes: 100 })
  t.match(new RunState({ progress, bytesDone: null }, 100).read(), { readBytes: 5, totalBytes: null })
})
