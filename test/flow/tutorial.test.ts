/** The commands of docs/tutorial.md, typed into a terminal of 80 × 24 one after the other. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import t, { type Test } from 'tap'
import { projectRoot } from '../support/root.js'

t.setTimeout(600_000)
const commandMsMax = 120_000
const pollMs = 200

const hasTmux = spawnSync('tmux', ['-V']).status === 0

/** The lines of the shell blocks of a page. */
function commandsOf(page: string): string[] {
  const text = readFileSync(join(projectRoot, 'docs', page), 'utf8')
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = '']) => block.trim().split('\n'))
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A shell in tmux, on a server of its own. `type` resolves with the exit code of the command. */
class Terminal {
  readonly #socket: string
  readonly #log: string
  #typed = 0

  constructor(t: Test, folder: string) {
    // The path of a socket has at most 107 bytes.
    const short = mkdtempSync(join(tmpdir(), 'kun-'))
    this.#socket = join(short, 'tmux')
    this.#log = join(folder, 'transcript.txt')
    const work = join(folder, 'work')
    mkdirSync(work)
    // What npx does with an installed package, without a registry.
    const start = join(folder, 'bashrc')
    const recorded = join(folder, 'recorded')
    writeFileSync(
      start,
      // The first prompt is written after the recording began.
      `until [ -e '${recorded}' ]; do sleep 0.1; done\n` +
        `npx() { shift; '${process.execPath}' '${join(projectRoot, 'dist/bin/kun-stream.js')}' "$@"; }\n` +
        `PROMPT_COMMAND='echo "[typed $((++typed)) exit $?]"'; PS1='$ '; typed=-1; cd '${work}'\n`,
    )
    writeFileSync(this.#log, '')
    const shell = `env -u HF_TOKEN LC_ALL=C.UTF-8 KUN_STREAM_LANG=en bash --noprofile --rcfile '${start}' -i`
    this.#tmux('new-session', '-d', '-x', '80', '-y', '24', shell)
    this.#tmux('pipe-pane', `cat >> '${this.#log}'`)
    writeFileSync(recorded, '')
    t.teardown(() => {
      spawnSync('tmux', ['-S', this.#socket, 'kill-server'])
      rmSync(short, { recursive: true, force: true })
    })
  }

  async type(command: string): Promise<number> {
    await this.#prompt(this.#typed)
    this.#typed++
    this.#tmux('send-keys', '-l', command)
    this.#tmux('send-keys', 'Enter')
    return this.#prompt(this.#typed)
  }

  transcript(): string {
    return readFileSync(this.#log, 'utf8')
  }

  async #prompt(nth: number): Promise<number> {
    const prompt = new RegExp(`\\[typed ${nth} exit (\\d+)\\]`)
    for (let waitedMs = 0; waitedMs < commandMsMax; waitedMs += pollMs) {
      const [, code] = prompt.exec(this.transcript()) ?? []
      if (code !== undefined) return Number(code)
      await wait(pollMs)
    }
    throw new Error(`no prompt after ${commandMsMax} ms:\n${this.transcript().slice(-2000)}`)
  }

  #tmux(...args: string[]): void {
    execFileSync('tmux', ['-S', this.#socket, ...args])
  }
}

t.test('both languages have the same commands', async (t) => {
  t.strictSame(commandsOf('tutorial.zh.md'), commandsOf('tutorial.md'))
  t.ok(commandsOf('tutorial.md').length > 10)
})

t.test(
  'every command of the tutorial ends well, and the dataset is on the Hub',
  { skip: !hasTmux && 'tmux is not installed' },
  async (t) => {
    const ports = new Map([
      ['8000', await freePort()],
      ['8001', await freePort()],
    ])
    const terminal = new Terminal(t, t.testdir())
    for (const command of commandsOf('tutorial.md')) {
      const typed = command.replace(/\b800[01]\b/g, (port) => String(ports.get(port)))
      t.equal(await terminal.type(typed), 0, command)
      // A server in the background is ready when it has printed its address.
      if (typed.endsWith('&')) {
        const log = /> (\S+) /.exec(typed)?.[1] ?? ''
        t.equal(await terminal.type(`until grep -q http ${log}; do sleep 0.2; done`), 0, `${log} has an address`)
      }
    }
    await terminal.type('kill %1 %2')
    const transcript = stripVTControlCharacters(terminal.transcript()).replaceAll('\r', '')
    t.match(transcript, /5 records: \d+ pairs/, 'the sample shows pairs')
    t.match(transcript, /The dataset is intact/)
    t.match(transcript, /^20 train\.jsonl$/m)
    t.match(transcript, /data\/train-0.*\.parquet/, 'the Hub has the dataset')
    if (process.env.KUN_TRANSCRIPT !== undefined) writeFileSync(process.env.KUN_TRANSCRIPT, transcript)
  },
)
