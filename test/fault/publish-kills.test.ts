import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { publish } from '../../lib/publish/publish.js'
import { type Hub, type HubFaultKind, type HubLogEntry, startHub } from '../../lib/simulator/hub/index.js'
import { projectRoot } from '../support/root.js'
import { addCuts } from '../support/run-directory.js'

const repo = 'me/kun-demo'
const wanted = [
  ...['README.md', 'README_zh.md', 'assets/funnel.svg'],
  ...['data/skypile-00000-of-00001.parquet', 'data/wudao-00000-of-00001.parquet'],
]

/** Publishes as a process of its own. @returns true when it was killed as soon as a request had met the fault */
async function killedAtFault(hub: Hub, run: string): Promise<boolean> {
  const program = join(projectRoot, 'dist/bin/kun-stream.js')
  const env = { PATH: process.env.PATH, HOME: run, HF_ENDPOINT: hub.url, HF_TOKEN: 'hf_writer' }
  const child = spawn(process.execPath, [program, 'publish', run, '--repo', repo], { env, stdio: 'ignore' })
  const log = hub.log as HubLogEntry[]
  log.push = (...entries) => {
    // It waits before it asks again: nothing is done between the fault and the kill.
    if (entries.some(({ fault }) => fault !== null)) child.kill('SIGKILL')
    return Array.prototype.push.apply(log, entries)
  }
  const [, signal] = await once(child, 'close')
  return signal === 'SIGKILL'
}

for (const kind of ['reset', 'reset-after'] as const satisfies HubFaultKind[]) {
  const when = kind === 'reset' ? 'before' : 'after'
  t.test(
    `killed ${when} each writing request, then published again: the tree is right, each file sent once`,
    async (t) => {
      for (let from = 1, killed = true; killed; from++) {
        const root = t.testdir({ run: {} })
        const run = join(root, 'run')
        await addCuts(run, { cuts: 2 })
        const hub = await startHub({ directory: join(root, `hub-${from}`) })
        hub.faults.set([{ kind, match: '^(POST|PUT) ', from }])
        killed = await killedAtFault(hub, run)
        t.equal(hub.log.filter(({ fault }) => fault === kind).length, killed ? 1 : 0)
        const seen = hub.log.length
        await publish({ directory: run, repo, hubUrl: hub.url, token: 'hf_writer' })
        t.same(Object.keys(hub.tree(repo)).sort(), wanted, `at ${from}`)
        const handled = hub.log.filter(({ status, fault }) => status === 200 || fault === 'reset-after')
        const sent = handled.filter(({ method }) => method === 'PUT').map(({ path }) => path)
        t.equal(sent.length, 2, `at ${from}: sent ${sent}`)
        t.equal(new Set(sent).size, 2)
        t.notOk(existsSync(join(run, 'publish')), 'no temporary file stays')
        if (!killed) {
          t.ok(from > 6, `${from - 1} writing requests`)
          t.ok(hub.log.slice(seen).every(({ method }) => method === 'GET' || method === 'HEAD'))
        }
        await hub.close()
      }
    },
  )
}
