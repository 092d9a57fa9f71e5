/** An account that runs out of money in mid-run, under the words of several services, and is settled later. */
import { join } from 'node:path'
import t from 'tap'
import { nodeFiles } from '../../lib/storage/files.js'
import { errorBody, type Response } from '../support/servers/base.js'
import { vllmServer } from '../support/servers/vllm.js'
import { bytesOn, differing, type MiniRun, runMini } from './mini-run.js'

t.setTimeout(300_000)

const root = t.testdir()
const server = await vllmServer(t, { models: ['writer', 'judge'] })
const run = (name: string): MiniRun => ({ directory: join(root, name), endpoint: server.url })
await runMini(run('undisturbed'))
const undisturbed = await bytesOn(nodeFiles, join(root, 'undisturbed'))
const labels = server.answered.filter(({ request }) => request.task === 'label').length

const unpaid: Readonly<Record<string, Response>> = {
  '402 Insufficient Balance': { status: 402, body: errorBody('Insufficient Balance', 'unknown_error', null) },
  '403 with the words of billing': {
    status: 403,
    body: errorBody('用户额度不足, 剩余额度: ¥0.000000', 'new_api_error', 'insufficient_user_quota'),
  },
  '429 insufficient_quota': {
    status: 429,
    body: errorBody(
      'You exceeded your current quota, please check your plan.',
      'insufficient_quota',
      'insufficient_quota',
    ),
  },
  '400 Arrearage': {
    status: 400,
    body: errorBody('Access denied: account not in good standing.', 'Arrearage', 'Arrearage'),
  },
}

for (const [place, [name, response]] of Object.entries(unpaid).entries()) {
  t.test(
    `${name}: the run stops, and once the account is settled it resumes to the bytes of an undisturbed run`,
    async (t) => {
      const mine = run(`unpaid-${place}`)
      const stopped = { code: 'KUN_ACCOUNT', exitCode: 3 }
      const first = server.answered.length
      const task = place % 2 === 0 ? 'label' : 'polish'
      let left = place % 2 === 0 ? labels >> 1 : 3
      server.intercept = (request) => (left <= 0 || (request.task === task && left-- <= 0) ? response : null)
      t.teardown(() => {
        server.intercept = () => null
      })
      await t.rejects(runMini(mine), stopped)
      await t.rejects(runMini(mine), stopped, 'not settled yet')
      server.intercept = () => null
      t.equal(await runMini(mine), 'input')
      t.strictSame(differing(await bytesOn(nodeFiles, mine.directory), undisturbed), [])
      const paid = server.answered
        .slice(first)
        .filter(({ request, status }) => request.task !== 'probe' && status === 200)
      const bodies = paid.map(({ request }) => JSON.stringify(request.body))
      t.equal(new Set(bodies).size, bodies.length, 'no reply is paid for twice')
    },
  )
}
