/** Commands on units, given a path that is not a run in units: exit code 2, a message, and nothing is written. */
import { cpSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startSimulator } from '../../../lib/simulator/vllm/index.js'
import { mainInProcess } from '../../support/main-in-process.js'
import { runTiny } from '../../support/session.js'

const unit = '000000-0123456789abcdef0123'
const queue = ['--queue', 'redis://127.0.0.1:1']
/** The arguments after the path. */
const commands: readonly (readonly [command: readonly string[], rest: readonly string[]])[] = [
  [['generate'], []],
  [['generate'], ['--unit', unit]],
  [['assemble'], []],
  [['worker'], queue],
  [['enqueue'], queue],
  [['submit'], ['--slurm']],
  [['units', 'ls'], []],
  [['units', 'skip'], [unit]],
  [['units', 'bisect'], [unit]],
  [
    ['units', 'retry'],
    ['--all', ...queue],
  ],
]

t.test('a path that does not exist, or a file, is refused and nothing is created', async (t) => {
  const root = t.testdir({ file: 'text' })
  const all = [...commands, [['dedup-part'], ['--part', '1/2', '--wait', '1ms']] as const]
  for (const [name, words] of [
    ['missing', 'does not exist: give the directory that kun-stream prepare'],
    ['file', 'is a file: give the directory that kun-stream prepare'],
  ] as const) {
    const path = join(root, name)
    for (const [command, rest] of all) {
      const { code, stdout, stderr } = await mainInProcess(t, [...command, path, ...rest])
      t.equal(code, 2, `${command.join(' ')}: exit code`)
      t.ok(stderr.includes(`${path} ${words}`), `${command.join(' ')}: the message names the path`)
      t.equal(stdout, '')
    }
  }
  const into = join(root, 'dataset')
  t.match(await mainInProcess(t, ['assemble', join(root, 'missing'), '--out', into]), { code: 2 })
  t.match(await mainInProcess(t, ['status', join(root, 'missing')]), { code: 2, stderr: /there is no such directory/ })
  t.strictSame(readdirSync(root), ['file'])
})

t.test('a directory without a run, and one with a run that is not in units, stay as they were', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir({ empty: {} })
  const plain = join(root, 'plain')
  await runTiny({ directory: plain, endpoint: server.url, small: true })
  writeFileSync(join(root, 'empty/notes.txt'), '')
  const before = readdirSync(plain)
  for (const [name, words] of [
    ['empty', 'has no run.json: prepare a recipe there first'],
    ['plain', 'holds a run that is not divided into units'],
  ] as const) {
    const path = join(root, name)
    for (const [command, rest] of commands) {
      const { code, stderr } = await mainInProcess(t, [...command, path, ...rest])
      t.equal(code, 2, `${command.join(' ')}: exit code`)
      t.ok(stderr.includes(`${path} ${words}`), `${command.join(' ')}: says what is there`)
    }
  }
  // As `prepare` leaves it before its first unit.
  const begun = join(root, 'begun')
  cpSync(join(plain, 'run.json'), join(begun, 'run.json'))
  writeFileSync(join(begun, 'manifest.jsonl'), '')
  t.match(await mainInProcess(t, ['units', 'ls', begun]), { code: 0 })
  t.strictSame(readdirSync(join(root, 'empty')), ['notes.txt'])
  t.strictSame(readdirSync(plain), before)
  t.equal(existsSync(join(plain, '.probe')), false)
})
