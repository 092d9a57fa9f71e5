/** `endpoints: { file: … }`: servers that come and go while a run continues. */
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { seededRandom } from '../../../lib/core/random.js'
import { readEndpointList } from '../../../lib/llm/endpoint/endpoint-list.js'
import { type OpenServersOptions, openServers } from '../../../lib/llm/scheduler/model-servers.js'
import { parseRecipe } from '../../../lib/recipe/index.js'
import { pinnedRecipe } from '../../../lib/recipe/recipe-lock.js'
import { testSeed } from '../../support/random.js'
import { fastClock } from '../clock.js'
import { type Asked, call, chatReply, gate, modelServer, promptOf, until } from '../model-server.js'

t.setTimeout(60_000)

/** Requests for records, without probes. */
const ofRecords = (asked: readonly Asked[]): number => asked.filter((each) => promptOf(each).startsWith('text ')).length

/** A file that is replaced whole, and the servers opened on it. */
async function opened(t: Test, first: readonly string[], more: Partial<OpenServersOptions> = {}) {
  const file = join(t.testdir({}), 'servers.txt')
  const write = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text)
    await rename(`${file}.new`, file)
  }
  await write(`${first.join('\n')}\n`)
  const events: string[] = []
  const servers = await openServers({
    models: { writer: { model: 'm', endpoints: { file } } },
    seed: 1,
    clock: fastClock(60),
    onEvent: ({ kind, endpoint, words }) => events.push(`${kind} ${endpoint}: ${words}`),
    ...more,
  })
  t.teardown(() => servers.close())
  const happened = (pattern: RegExp) => until(() => events.some((event) => pattern.test(event)))
  const list = (urls: readonly string[]) => write(`# servers\n\n${urls.join('\n')}\n`)
  return { file, write, list, servers, events, happened }
}

t.test(
  'A server that is added receives calls; one that is removed finishes its request and gets no other',
  async (t) => {
    const held = gate()
    const started = gate()
    const first = await modelServer(t, async (asked) => {
      if (promptOf(asked) !== 'text 1') return chatReply('甲')
      started.open()
      await held.opened
      return chatReply('甲')
    })
    const second = await modelServer(t, () => chatReply('乙'))
    const { list, servers, happened } = await opened(t, [first.url])
    const writer = servers.model('writer')
    const inFlight = writer.ask(call(1))
    await started.opened
    await list([first.url, second.url])
    await happened(/^endpoint-added .*2 servers$/)
    await list([second.url])
    await happened(/^endpoint-removed .*1 server$/)
    const before = ofRecords(first.asked)
    for (let n = 2; n < 8; n++) t.match(await writer.ask(call(n)), { reply: { text: '乙' } })
    t.equal(ofRecords(first.asked), before)
    held.open()
    t.match(await inFlight, { reply: { text: '甲' } })
    t.same(
      servers.metrics().endpoints.map(({ endpoint }) => endpoint),
      [second.url],
    )
  },
)

t.test('A list that is not valid is reported once, and the last valid one is kept', async (t) => {
  const first = await modelServer(t)
  const second = await modelServer(t)
  const { write, list, servers, events, happened } = await opened(t, [first.url])
  await write(`${second.url}\nnot an address\n`)
  await happened(/endpoint-note .*servers\.txt:2: found "not an address".*The last valid list is kept/)
  t.match(await servers.model('writer').ask(call(1)), { reply: {} })
  await write('')
  await happened(/endpoint-note .*has no address/)
  t.equal(ofRecords(second.asked), 0)
  await list([first.url, second.url])
  await happened(/^endpoint-added/)
  t.equal(events.filter((event) => /not an address/.test(event)).length, 1)
})

t.test('An added server that is not ready, or serves another model, gets no call until it passes', async (t) => {
  const first = await modelServer(t)
  let ready = false
  const second = await modelServer(t, ({ response }) => {
    if (ready) return chatReply('乙')
    response.writeHead(404, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: { message: 'The model `m` does not exist.', type: 'NotFoundError' } }))
    return undefined
  })
  const { list, servers, happened } = await opened(t, [first.url])
  await list([first.url, second.url])
  await happened(/^endpoint-waiting .*does not exist/)
  t.match(await servers.model('writer').ask(call(1)), { reply: {} })
  t.equal(ofRecords(second.asked), 0)
  ready = true
  await happened(/^endpoint-added/)
})

t.test('Without any server that is ready the run waits up to outageMaxMs', async (t) => {
  const first = await modelServer(t)
  const { list, servers, happened } = await opened(t, [first.url], { servers: { outageMaxMs: 30_000 } })
  t.match(await servers.model('writer').ask(call(1)), { reply: {} })
  await list(['http://127.0.0.1:9/v1'])
  await happened(/^endpoint-removed .*0 servers$/)
  await t.rejects(servers.model('writer').ask(call(2)), {
    code: 'KUN_OUTAGE',
    message: /no model server responded for \d+ s: no server of the list is ready/,
  })
})

t.test('The run waits for its file up to startMaxMs', async (t) => {
  const server = await modelServer(t)
  const file = join(t.testdir({}), 'later.txt')
  const options = { models: { writer: { model: 'm', endpoints: { file } } }, seed: 1, clock: fastClock(20) }
  await t.rejects(openServers({ ...options, servers: { startMaxMs: 0 } }), {
    code: 'KUN_ENDPOINT',
    message: /cannot read the list of servers .*later\.txt: ENOENT/,
  })
  let said = ''
  const opening = openServers({
    ...options,
    servers: { startMaxMs: 600_000 },
    onEvent: ({ kind, words }) => {
      said ||= `${kind}: ${words}`
    },
  })
  await until(() => said !== '')
  t.match(said, /^endpoint-waiting: cannot read .*waiting for it \(servers\.startMaxMs 600 s\)$/)
  await writeFile(file, `${server.url}\n`)
  const servers = await opening
  t.teardown(() => servers.close())
  t.match(await servers.model('writer').ask(call(1)), { reply: {} })
})

t.test('Two models with one file share its servers, and an added server is probed for both', async (t) => {
  const first = await modelServer(t)
  const second = await modelServer(t)
  const file = join(t.testdir({ 'servers.txt': `${first.url}\n` }), 'servers.txt')
  const events: string[] = []
  const servers = await openServers({
    models: { a: { model: 'm-a', endpoints: { file } }, b: { model: 'm-b', endpoints: { file } } },
    seed: 1,
    clock: fastClock(60),
    onEvent: ({ kind }) => events.push(kind),
  })
  t.teardown(() => servers.close())
  await writeFile(file, `${second.url}\n`)
  await until(() => events.includes('endpoint-added') && events.includes('endpoint-removed'))
  t.same([...new Set(second.asked.map(({ body }) => body.model))].sort(), ['m-a', 'm-b'])
  t.match(await Promise.all([servers.model('a').ask(call(1)), servers.model('b').ask(call(2))]), [{ reply: {} }, {}])
  t.equal(ofRecords(second.asked), 2)
})

t.test('Every call is answered whatever the order in which servers are listed, removed and listed again', async (t) => {
  const seed = testSeed()
  t.comment(`seed ${seed}`)
  const random = seededRandom(seed)
  const fleet = await Promise.all(Array.from({ length: 4 }, () => modelServer(t)))
  const { list, servers } = await opened(t, [(fleet[0] as { url: string }).url])
  const writer = servers.model('writer')
  let answered = 0
  const calls = Array.from({ length: 200 }, async (_, n) => {
    await until(() => answered >= n - 8)
    await writer.ask(call(n))
    answered++
  })
  let isOver = false
  const changes = (async () => {
    while (!isOver) {
      const kept = fleet.filter(() => random() < 0.5)
      await list((kept.length > 0 ? kept : fleet).map(({ url }) => url))
      const from = answered
      await until(() => isOver || answered >= Math.min(200, from + 20))
    }
  })()
  await Promise.all(calls)
  isOver = true
  await changes
  t.equal(answered, 200)
  const each = fleet.flatMap(({ asked }) => asked.map(promptOf).filter((text) => text.startsWith('text ')))
  t.equal(new Set(each).size, 200)
})

t.test('A list has one URL a line; comments and repetitions are skipped, and there are limits', async (t) => {
  const directory = t.testdir({
    'list.txt': '# gpu nodes\r\nhttp://a:8000/v1\r\n\r\n  http://b:8000/v1  \nhttp://a:8000/v1\n',
    'ftp.txt': 'ftp://a/v1\n',
    'many.txt': Array.from({ length: 4097 }, (_, n) => `http://h${n}/v1`).join('\n'),
    'large.txt': '#'.repeat(1024 * 1024 + 1),
  })
  const read = (name: string) => readEndpointList(join(directory, name))
  t.same(await read('list.txt'), ['http://a:8000/v1', 'http://b:8000/v1'])
  await t.rejects(read('ftp.txt'), { code: 'KUN_ENDPOINT', message: /ftp\.txt:1: found "ftp:/ })
  await t.rejects(read('many.txt'), { message: /4097 addresses; the limit is 4096/ })
  await t.rejects(read('large.txt'), { message: /1048577 bytes; the limit is 1048576/ })
})

t.test('The file is not part of the identity of a run', (t) => {
  const recipe = (endpoints: string) =>
    parseRecipe(
      `name: n\nsources: [{ split: s, files: [a.jsonl], text: text }]\nmodels: { m: { model: m, endpoints: ${endpoints} } }\n` +
        'kun: { label: { model: m }, score: { model: m } }\noutput: { dir: out }\n',
      'r.yaml',
    )
  const pinned = pinnedRecipe(recipe('[http://a:8000/v1]'))
  t.same(pinnedRecipe(recipe('{ file: servers.txt }')), pinned)
  t.same(pinnedRecipe(recipe('{ file: other.txt }')), pinned)
  t.throws(() => recipe('{ fiel: servers.txt }'), { code: 'KUN_RECIPE' })
  t.throws(() => recipe('{ file: servers.txt, more: 1 }'), { code: 'KUN_RECIPE' })
  t.end()
})
