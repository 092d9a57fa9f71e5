import { EventEmitter } from 'node:events'
import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'
import t from 'tap'
import { rowsOf } from '../../../lib/cli/terminal/live-block.js'
import { Progress } from '../../../lib/cli/terminal/progress.js'
import { progressLine, progressLines } from '../../../lib/cli/terminal/progress-text.js'
import type { RunProgress } from '../../../lib/report/progress.js'
import { progressExample as progress } from '../../support/progress-example.js'

process.env.TERM = 'xterm'

const escapeCharacter = '\x1b'
const erasures = new RegExp(`(\\r${escapeCharacter}\\[2K|(?:${escapeCharacter}\\[1A${escapeCharacter}\\[2K)+|\\n)`)

/** As much of a terminal as the live block needs: it breaks long lines anew when it is resized, and shows ^C. */
class Terminal extends EventEmitter {
  readonly isTTY = true
  /** Whole lines, each in as many rows as it needs; the last one is where the cursor is. */
  lines = ['']
  constructor(
    public columns: number,
    public rows = 24,
  ) {
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
    while (left > 0) left -= this.#wrapped(this.lines.pop() ?? '')
    if (left < 0) throw new Error('half a line was erased')
    this.lines.push('')
  }

  /** Counts code points: each of the test takes one or two cells, and a wide one does not fit into the last cell. */
  #wrapped(line: string): number {
    let [rows, cells] = [1, 0]
    for (const character of line) {
      const wide = stringWidth(character)
      if (cells + wide > this.columns) [rows, cells] = [rows + 1, 0]
      cells += wide
    }
    return rows
  }

  blocks(): number {
    return this.lines.filter((line) => /42\.1 % done/.test(line)).length
  }

  height(): number {
    return this.lines.slice(0, -1).reduce((sum, line) => sum + this.#wrapped(line), 0)
  }
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
  const shown = new Progress(() => progress, terminal as unknown as WriteStream)
  terminal.write('before\n')
  shown.start()
  for (const columns of [120, 80, 60, 41, 25, 27, 60, 200, 33]) {
    show()
    t.equal(terminal.blocks(), 1, `one block, ${terminal.columns} columns`)
    terminal.columns = columns
    terminal.emit('resize')
    t.equal(terminal.blocks(), 1, `one block, made ${columns} columns wide`)
    t.ok(terminal.height() < terminal.rows, `${terminal.height()} of ${terminal.rows} rows`)
  }
  terminal.rows = 10
  show()
  shown.print('a server is down')
  show()
  t.ok(terminal.height() < terminal.rows, `${terminal.height()} of ${terminal.rows} rows`)
  terminal.write('^C')
  show()
  shown.print('waiting for the requests in flight')
  show()
  t.equal(terminal.blocks(), 1)
  shown.stop()
  t.strictSame(terminal.lines, ['before', 'a server is down', 'waiting for the requests in flight', ''])
  t.equal(terminal.listenerCount('resize'), 0)
})

t.test('the block fits any window, and no figure of the summary is cut', async (t) => {
  for (const cells of [39, 59, 79, 119, 199]) {
    for (const lines of [4, 6, 16, 40]) {
      const shown = progressLines(progress, { cells, lines }).map((line) => stripVTControlCharacters(line))
      t.ok(shown.length <= lines, `${shown.length} of ${lines} lines, ${cells} cells`)
      for (const line of shown) t.ok(stringWidth(line) <= cells, `${stringWidth(line)} of ${cells} cells: ${line}`)
      const text = shown.join('\n')
      t.match(text, '42.1 % done')
      t.match(text, 'about 12 min to go')
      if (lines < 6) continue
      for (const figure of [
        '12,345 rows of about 99,000',
        'bottleneck: model servers',
        '45.6 requests/s',
        '12.3k tokens/s',
      ])
        t.match(text, figure)
    }
  }
})

t.test('every figure has a unit, and the last pair is one line', async (t) => {
  const shown = progressLines(progress, { cells: 119, lines: 40 }).map((line) => stripVTControlCharacters(line))
  const row = (name: string): string => shown.find((line) => line.startsWith(`  ${name}`)) ?? ''
  t.match(row('read'), /^ {2}read +12 blocks +123 blocks\/s +64 {2}a later stage$/)
  t.match(row('dedup'), /11 blocks +1,234,567 chunks +123 chunks\/s/)
  t.match(row('label'), /1,234,567 chunks +1,200,000 pairs +123 pairs\/s +64 {2}model servers$/)
  t.match(row('write'), /12,345 records +12,000 records/)
  t.match(
    shown.at(-1),
    /^ {2}last pair: 请根据以下文字，说明水稻在不同生长阶段对水分的需求。 要求分点作答。 → 水稻.*…$/,
  )
  t.match(shown.join('\n'), 'localhost:8000: 412 of 512 requests in flight, 410 running, 38 waiting, KV cache 81 %')
})

t.test('without an estimate the block says why', async (t) => {
  const text = (reason: RunProgress['estimate']['reason']): string =>
    progressLine({ ...progress, estimate: { ...progress.estimate, doneShare: null, secondsLeft: null, reason } })
  t.match(text('warming-up'), 'estimating the time left')
  t.match(text('stalled'), 'nothing finished for a minute')
  t.notMatch(text('input-size-unknown'), /to go|estimating|% done/)
})

t.test('a stream that is not a terminal gets full lines, and fewer of them in a long run', async (t) => {
  const lines: string[] = []
  const stream = Object.assign(new EventEmitter(), { write: (text: string) => lines.push(text) > 0, columns: 20 })
  let show = (): void => undefined
  t.intercept(globalThis, 'setInterval', {
    value: (work: () => void) => {
      show = work
      return { unref: () => undefined }
    },
  })
  let elapsedSeconds = 0
  const shown = new Progress(() => ({ ...progress, elapsedSeconds }), stream as unknown as WriteStream)
  shown.start()
  for (elapsedSeconds = 5; elapsedSeconds <= 7200; elapsedSeconds += 5) show()
  t.ok(lines.length > 100 && lines.length < 250, `${lines.length} lines in two hours`)
  t.match(
    lines[0],
    /^42\.1 % done · about 12 min to go · .*bottleneck: model servers.* · write 12,000 records · localhost/,
  )
  t.notMatch(lines[0], '…')
})

t.test('rows of a wide text are counted as a terminal wraps it', async (t) => {
  const wide = '水'.repeat(40)
  t.equal(rowsOf(wide, 80), 1)
  t.equal(rowsOf(wide, 41), 2)
  t.equal(rowsOf(wide, 27), 4, 'a wide character does not fit into the last cell')
  t.equal(rowsOf('', 80), 1)
  t.equal(rowsOf(`\x1b[33m${'a'.repeat(81)}\x1b[39m`, 80), 2)
})
