import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { publish } from '../../lib/publish/publish.js'
import { startHub } from '../../lib/simulator/hub/index.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { command } from '../support/commands.js'
import { addCuts } from '../support/run-directory.js'
import { tinyRecipe } from '../support/session.js'

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

t.test(
  'if a mirror cannot be written, the run continues, reports it, and ends with the exit code of the failure',
  async (t) => {
    const root = t.testdir()
    const [server, full] = [
      await startSimulator({}),
      await startHub({ directory: join(root, 'hub'), storageBytesMax: 0 }),
    ]
    t.teardown(() => Promise.all([server.close(), full.close()]))
    writeFileSync(join(root, 'recipe.yaml'), tinyRecipe(server.url, true))
    writeFileSync(join(root, 'file'), 'no folder')
    const run = (to: string, directory: string) =>
      command(
        'bin/kun-stream.js',
        ['run', join(root, 'recipe.yaml'), '--out', join(root, directory), '--set', `mirror={to: '${to}'}`],
        { HF_ENDPOINT: full.url, HF_TOKEN: 'hf_me' },
      ).ended
    const refused = await run('hub:me/mirror', 'quota')
    t.match(refused, {
      code: 2,
      out: /tiny: done/,
      err: /The mirror hub:me\/mirror is behind: .*storage.*its mirror is behind/is,
    })
    const folder = join(root, 'file', 'mirror')
    const blocked = await run(folder, 'folder')
    t.match(blocked, { code: 2, out: /tiny: done/, err: /The mirror .* is behind: .*not a directory/ })
    rmSync(join(root, 'file'))
    t.match(await run(folder, 'folder'), { code: 0 }, 'once it can be written, the run copies what is missing')
    t.ok(readdirSync(folder).includes('mirror.json'))
  },
)
