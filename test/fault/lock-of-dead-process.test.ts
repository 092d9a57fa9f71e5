import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { holderState, thisProcess } from '../../lib/storage/lock/lock-holder.js'
import { command } from '../support/commands.js'

const me = thisProcess()

t.test(
  'a killed process that was not reaped does not hold the lock',
  { skip: process.platform !== 'linux' },
  async (t) => {
    // The shell starts a child, then becomes a program that never asks after it: the child stays a zombie.
    const script = 'sleep 0 & echo $!; exec sleep 60'
    const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
    t.teardown(() => parent.kill('SIGKILL'))
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(line.toString())
    const stat = (): string[] =>
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ')
    while (stat()[0] !== 'Z') await setImmediate()
    t.equal(holderState({ ...me, pid, started: stat()[19] as string }), 'gone')
  },
)

t.test('a process that ends without closing its run leaves no lock', async (t) => {
  const directory = t.testdir()
  const ended = await command('test/support/locks-and-exits.js', [directory]).ended
  t.match(ended, { code: 7, out: /locked/ })
  t.same(readdirSync(directory), [])
})
