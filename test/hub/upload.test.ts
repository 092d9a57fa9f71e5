import { join } from 'node:path'
import t from 'tap'
import { publish } from '../../lib/publish/publish.js'
import { startHub } from '../../lib/simulator/hub/index.js'
import { addCuts } from '../support/run-directory.js'

t.setTimeout(300_000)

const partBytes = 400

t.test('a file is uploaded in parts where the Hub asks for it: in order, more than nine of them', async (t) => {
  const root = t.testdir({ run: {} })
  const hub = await startHub({ directory: join(root, 'hub'), multipartFromBytes: 1, partBytes })
  t.teardown(() => hub.close())
  const directory = join(root, 'run')
  await addCuts(directory, { cuts: 3 })
  const connection = { triesMax: 3, backoffMs: 0 }
  const send = () => publish({ directory, repo: 'me/parts', hubUrl: hub.url, token: 'hf_me', connection })
  const puts = () => hub.log.filter(({ method, path }) => method === 'PUT' && /\/upload\/\w+\/\d+\?/.test(path))

  hub.faults.set([{ kind: 'no-etag', match: 'PUT /cdn/upload/' }])
  await t.rejects(send(), {
    code: 'KUN_HUB_UNAVAILABLE',
    message: /accepted part 1 of \w+ without an ETag: publish again/,
  })
  hub.faults.set([{ kind: 'status', status: 403, error: 'Request has expired', match: 'PUT /cdn/upload/.*/3' }])
  await t.rejects(send(), { message: /Request has expired/ }, 'an address that expired')
  hub.faults.set([
    { kind: 'status', status: 500, match: 'PUT /cdn/upload/.*/2' },
    { kind: 'reset', match: 'PUT /cdn/upload/.*/4' },
  ])
  const before = puts().length
  const done = await send()
  t.match(done, { filesUploaded: 2 }, 'a part that fails is sent again')
  const bytes = done.files.reduce((sum, file) => sum + file.bytes, 0)
  t.ok(
    done.files.every((file) => file.bytes > 10 * partBytes),
    'more than nine parts each',
  )
  t.equal(puts().length - before, done.files.reduce((sum, file) => sum + Math.ceil(file.bytes / partBytes), 0) + 2)
  const stored = await Promise.all(done.files.map(({ path }) => hub.content('me/parts', path)))
  t.equal(
    stored.reduce((sum, content) => sum + content.length, 0),
    bytes,
    'the Hub checked the sha256 of the whole',
  )
})
