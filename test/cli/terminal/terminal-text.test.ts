import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { Output } from '../../../lib/cli/terminal/output.js'
import { plainText, terminalText } from '../../../lib/cli/terminal/terminal-text.js'
import { processSecrets } from '../../../lib/core/redaction.js'
import { projectRoot } from '../../support/root.js'

const steering = [
  '\u001b]0;title\u0007',
  '\u001b]8;;http://evil\u001b\\\\link',
  '\u001b]52;c;cHduZWQ=\u0007',
  '\u001b[2J\u001b[H',
  '\u009b31m',
  'safe\rEVIL',
  'a\u0008\u0008b',
  '\u202egpj.exe',
  '\u2066x\u2069',
  '\u0000',
  '\ufeff',
]

t.test('text from a server, a file or a name cannot control the terminal, and is shown completely', async (t) => {
  for (const text of steering) {
    for (const shown of [plainText(`name ${text}\n`), terminalText(`name ${text}\n`)]) {
      t.notMatch(shown, /(?!\n)\p{Cc}|[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u, JSON.stringify(text))
      t.match(shown, /\\u[0-9a-f]{4}/)
    }
  }
  const json = JSON.stringify({ words: steering })
  t.strictSame(JSON.parse(terminalText(json)), { words: steering }, 'JSON means the same')
  t.equal(plainText('表\t竹子 😀\n'), '表\t竹子 😀\n')
})

t.test('a secret of the process is removed from all text output', async (t) => {
  processSecrets.add('sk-only-of-this-test')
  t.equal(plainText('Error: key sk-only-of-this-test\n    at x'), 'Error: key ***\n    at x')
  t.equal(terminalText('{"key":"sk\\u002donly-of-this-test"}'), '{"key":"***"}')
})

t.test('rows are escaped on a terminal, and written unchanged to a pipe or a file', async (t) => {
  for (const isTTY of [true, false]) {
    const stream = Object.assign(new PassThrough(), { isTTY })
    const output = new Output(stream)
    const bytes = Buffer.from('{"text":"竹\u009b31m"}\n')
    await output.write(bytes.subarray(0, 10))
    await output.write(bytes.subarray(10))
    await output.end()
    t.equal(String(stream.read()), isTTY ? '{"text":"竹\\u009b31m"}\n' : bytes.toString())
  }
})

t.test('every command writes through terminal-text.ts', async (t) => {
  const folder = join(projectRoot, 'lib/cli')
  // stop-signals.ts loads before everything else, and writes no text from outside.
  const own = ['terminal/output.ts', 'terminal/stop-signals.ts']
  const around = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) =>
      file.endsWith('.ts') &&
      !own.includes(file) &&
      /process\.std(?:out|err)\.write\(|console\./.test(readFileSync(join(folder, file), 'utf8')),
  )
  t.strictSame(around, [])
})
