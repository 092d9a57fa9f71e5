import { join } from 'node:path'
import t from 'tap'
import { hubTransport } from '../../lib/hub/fetch.js'
import type { HubWait } from '../../lib/hub/outage.js'
import { hubSettings } from '../../lib/hub/settings.js'
import { startHub } from '../../lib/simulator/hub/hub.js'

t.test('of an outage the first wait is told, then each that is long and longer than any told', async (t) => {
  const hub = await startHub({ directory: join(t.testdir({}), 'hub') })
  hub.seed('me/corpus', { 'a.jsonl': '{}\n' })
  const told: HubWait[] = []
  const clock = { now: () => 0, sleep: async () => undefined }
  const settings = hubSettings({ hubUrl: hub.url, environment: {} })
  const transport = hubTransport(settings, { onWait: (wait) => told.push(wait) }, clock)
  t.teardown(() => Promise.all([hub.close(), transport.close()]))
  const url = `${hub.url}/api/datasets/me/corpus`
  const ask = async (): Promise<number> => {
    const { status, body } = await transport.request(`${url}?signature=secret`)
    await body.dump()
    return status
  }
  const failing = (...waitsSeconds: number[]): void =>
    hub.faults.set(waitsSeconds.map((waitSeconds) => ({ kind: 'status', status: 503, error: 'busy', waitSeconds })))
  const taken = (): number[][] => told.splice(0).map(({ tries, waitMs }) => [tries, Math.floor(waitMs / 2000) * 2])

  failing(2, 4, 20, 14, 40)
  t.equal(await ask(), 200)
  t.match(told[0], { url, reason: '503 busy', triesMax: 8 }, 'without the query')
  t.strictSame(taken(), [
    [1, 2],
    [3, 20],
    [5, 40],
  ])
  t.equal(await ask(), 200)
  t.strictSame(taken(), [], 'nothing of a request that is answered')
  failing(2)
  await ask()
  t.strictSame(taken(), [[1, 2]], 'a further outage')
})
