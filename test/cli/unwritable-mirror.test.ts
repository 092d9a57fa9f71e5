import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startHub } from '../../lib/simulator/hub/index.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { command } from '../support/commands.js'
import { tinyRecipe } from '../support/session.js'

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
      err: /The mirror hub:me\/mirror is not up to date: .*storage.*its mirror is not up to date/is,
    })
    const folder = join(root, 'file', 'mirror')
    const blocked = await run(folder, 'folder')
    t.match(blocked, { code: 2, out: /tiny: done/, err: /The mirror .* is not up to date: .*not a directory/ })
    rmSync(join(root, 'file'))
    t.match(await run(folder, 'folder'), { code: 0 }, 'once it can be written, the run copies what is missing')
    t.ok(readdirSync(folder).includes('mirror.json'))
  },
)
