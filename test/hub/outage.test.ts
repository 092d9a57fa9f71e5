import { join } from 'node:path'
import t from 'tap'
import type { RetryWait } from '../../lib/http/outage.js'
import { hubSettings } from '../../lib/hub/settings.js'
import { hubTransport } from '../../lib/hub/transport.js'
import { startHub } from '../../lib/simulator/hub/index.js'

t.test(
  'the first retry of an outage is reported, then each wait that is long and longer than any reported',
  async (t) => {
    const hub = await startHub({ directory: join(t.testdir({}), 'hub') })
    hub.seed('me/corpus', { 'a.jsonl': '{}\n' })
    const reported: RetryWait[] = []
    const clock = { now: () => 0, sleep: async () => undefined }
    const settings = hubSettings({ hubUrl: hub.url, environment: {} })
    const transport = hubTransport(settings, { onWait: (wait) => reported.push(wait) }, clock)
    t.teardown(() => Promise.all([hub.close(), transport.close()]))
    const url = `${hub.url}/api/datasets/me/corpus`
    const send = async (): Promise<number> => {
      const { status, body } = await transport.request(`${url}?signature=secret`)
      await body.dump()
      return status
    }
    const failing = (...waitsSeconds: number[]): void =>
      hub.faults.set(waitsSeconds.map((waitSeconds) => ({ kind: 'status', status: 503, error: 'busy', waitSeconds })))
    const taken = (): number[][] =>
      reported.splice(0).map(({ tries, waitMs }) => [tries, Math.floor(waitMs / 2000) * 2])

    failing(2, 4, 20, 14, 40)
    t.equal(await send(), 200)
    t.match(reported[0], { url, reason: '503 busy', triesMax: 8 }, 'without the query')
    t.strictSame(taken(), [
      [1, 2],
      [3, 20],
      [5, 40],
    ])
    t.equal(await send(), 200)
    t.strictSame(taken(), [], 'nothing for a request that succeeds at once')
    failing(2)
    await send()
    t.strictSame(taken(), [[1, 2]], 'a further outage')
  },
)
