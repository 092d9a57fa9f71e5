/** A server that refuses everything with a plain 400 for a while, and one whose moderation refuses single records. */
import { join } from 'node:path'
import t from 'tap'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { errorBody, type Request, type Response } from '../support/servers/base.js'
import { vllmServer } from '../support/servers/vllm.js'
import { bytesOn, differing, type MiniRun, runMini } from './mini-run.js'

t.setTimeout(300_000)

async function verdictsOf(directory: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const name of await nodeFiles.list(join(directory, 'rejects'))) {
    const part = await openPart(join(directory, 'rejects', name))
    for await (const { stage, reason } of rowsOf(part)) {
      if (stage === 'label') counts[String(reason)] = (counts[String(reason)] ?? 0) + 1
    }
    await part.close()
  }
  return counts
}

const plain: Response = { status: 400, body: errorBody('Bad request', 'invalid_request_error', null) }
const moderated: Response = {
  status: 400,
  body: errorBody('The request was rejected', 'content_filter', 'content_filter'),
}
/** One record in seven. */
const isRefused = ({ task, prompt }: Request) => task === 'label' && prompt.length % 7 === 0

t.test('refusals of everything for a while are no verdicts: the run stops and resumes to the same bytes', async (t) => {
  const server = await vllmServer(t, { models: ['writer', 'judge'] })
  const root = t.testdir()
  const run = (name: string): MiniRun => ({ directory: join(root, name), endpoint: server.url })
  let labelsMax = Number.POSITIVE_INFINITY
  let labels = 0
  server.intercept = (request) => {
    if (request.task === 'label') labels++
    return labels > labelsMax || isRefused(request) ? plain : null
  }
  t.equal(await runMini(run('whole')), 'input')
  const verdicts = await verdictsOf(run('whole').directory)
  t.ok(verdicts.refused, 'some records are refused in any case')
  const whole = await bytesOn(nodeFiles, run('whole').directory)
  const all = labels
  for (const part of [0.2, 0.7]) {
    const mine = run(`stopped-${part}`)
    labels = 0
    labelsMax = Math.floor(all * part)
    await t.rejects(runMini(mine), { code: 'KUN_OUTAGE', exitCode: 3, message: /400 Bad request/ })
    labelsMax = Number.POSITIVE_INFINITY
    t.equal(await runMini(mine), 'input')
    t.strictSame(await verdictsOf(mine.directory), verdicts)
    t.strictSame(differing(await bytesOn(nodeFiles, mine.directory), whole), [])
  }
})

t.test('moderation of the very first record, and of others, is a reject of that record alone', async (t) => {
  const server = await vllmServer(t, { models: ['writer', 'judge'] })
  const run: MiniRun = { directory: join(t.testdir(), 'run'), endpoint: server.url }
  let labels = 0
  const first = new Set<string>()
  server.intercept = (request) => {
    if (request.task === 'label' && labels++ < 3) first.add(request.prompt)
    return first.has(request.prompt) || isRefused(request) ? moderated : null
  }
  t.equal(await runMini(run), 'input')
  const refused = server.answered.filter(({ status }) => status === 400)
  t.strictSame(await verdictsOf(run.directory), { 'content-refused': refused.length })
  const bodies = refused.map(({ request }) => JSON.stringify(request.body))
  t.equal(new Set(bodies).size, bodies.length, 'each is sent once')
})
