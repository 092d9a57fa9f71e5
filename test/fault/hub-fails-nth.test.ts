import { randomBytes } from 'node:crypto'
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { mirrorRun, restoreFromMirror } from '../../lib/publish/mirror.js'
import { publish } from '../../lib/publish/publish.js'
import { startHub } from '../../lib/simulator/hub/index.js'
import { addLog, contentsOf, makeRun } from '../support/mirrored-run.js'
import { addCuts } from '../support/run-directory.js'

const token = 'hf_writer'
const repo = 'me/kun-demo'
const dataPaths = ['data/skypile-00000-of-00001.parquet', 'data/wudao-00000-of-00001.parquet']

t.test('a pass that fails at any request leaves a mirror that can be restored, old or new', async (t) => {
  const root = t.testdir({ run: {} })
  const directory = join(root, 'run')
  await makeRun(directory)
  let before = contentsOf(directory)
  for (const kind of ['reset', 'reset-after'] as const) {
    for (let from = 1; ; from++) {
      const hub = await startHub({ directory: join(root, `hub-${kind}-${from}`) })
      t.teardown(() => hub.close())
      const connection = { hubUrl: hub.url, token, connection: { triesMax: 1, backoffMs: 0 } }
      const place = 'hub:me/state'
      before = contentsOf(directory)
      await mirrorRun({ directory, to: place, ...connection })
      appendFileSync(join(directory, 'dedup', 'index'), randomBytes(10))
      await addLog(join(directory, 'replies', `${String(10 + from).padStart(6, '0')}.log`), 20)
      const after = contentsOf(directory)
      hub.faults.set([{ kind, from, times: -1 }])
      const failed = await mirrorRun({ directory, to: place, ...connection }).then(
        () => null,
        (error: { code: string }) => error.code,
      )
      hub.faults.set([])
      const again = join(root, `again-${kind}-${from}`)
      await restoreFromMirror({ directory: again, from: place, ...connection })
      const found = JSON.stringify(contentsOf(again))
      const whole = found === JSON.stringify(after) || (failed !== null && found === JSON.stringify(before))
      if (!whole) t.fail(`${kind} at ${from}: neither the old state nor the new`)
      if (failed !== null && failed !== 'KUN_HUB_UNAVAILABLE') t.fail(`${kind} at ${from}: ${failed}`)
      await mirrorRun({ directory, to: place, ...connection })
      if (failed === null) {
        t.ok(from > 8, `${kind}: ${from - 1} requests`)
        break
      }
    }
  }
})

t.test(
  'failing at every request in turn, then published again: the tree is right, each file is sent once',
  async (t) => {
    const directory = t.testdir({ run: {} })
    const run = join(directory, 'run')
    await addCuts(run, { cuts: 2 })
    for (const kind of ['reset', 'reset-after'] as const) {
      for (let from = 1; ; from++) {
        rmSync(join(run, 'publish.json'), { force: true })
        const hub = await startHub({ directory: join(directory, `${kind}-${from}`) })
        t.teardown(() => hub.close())
        const go = (triesMax: number) =>
          publish({ directory: run, repo, hubUrl: hub.url, token, connection: { triesMax, backoffMs: 0 } })
        hub.faults.set([{ kind, from, times: -1 }])
        const failed = await go(1).then(
          () => null,
          (error: { code: string }) => error.code,
        )
        hub.faults.set([])
        if (failed !== null) {
          if (failed !== 'KUN_HUB_UNAVAILABLE') t.fail(`${kind} at ${from}: ${failed}`)
          await go(5)
        }
        const tree = Object.keys(hub.tree(repo)).sort()
        if (tree.join() !== ['README.md', 'README_zh.md', 'assets/funnel.svg', ...dataPaths].join())
          t.fail(`${kind} at ${from}: ${tree}`)
        // With 'reset-after' the file is stored although its answer was lost.
        const stored = hub.log.filter(
          ({ method, status, fault }) => method === 'PUT' && (status === 200 || fault === kind),
        )
        const sent = stored.filter(({ fault }) => fault !== 'reset').map(({ path }) => path)
        if (sent.length !== 2 || new Set(sent).size !== 2) t.fail(`${kind} at ${from}: sent ${sent}`)
        if (failed === null) {
          t.ok(from > 10, `${kind}: ${from - 1} requests`)
          break
        }
      }
    }
  },
)
