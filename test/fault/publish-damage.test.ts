/** A byte that changed after its commit reaches neither the Hub nor a mirror. */
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { mirrorRun, restoreFromMirror } from '../../lib/publish/mirror.js'
import { publish } from '../../lib/publish/publish.js'
import { startHub } from '../../lib/simulator/hub/index.js'
import { openAppendLog } from '../../lib/storage/append-log.js'
import { makeDurableDirectory, nodeFiles } from '../../lib/storage/files.js'
import { addCuts } from '../support/run-directory.js'

t.setTimeout(120_000)

/** As a disk does it: the times of the file stay. */
function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.with(at, (bytes[at] as number) ^ 0x10))
  utimesSync(path, 1, 1)
}

t.test('publish refuses a part with a flipped byte before it sends anything, by its name', async (t) => {
  const directory = t.testdir({ hub: {}, run: {} })
  const hub = await startHub({ directory: join(directory, 'hub') })
  t.teardown(() => hub.close())
  const run = join(directory, 'run')
  await addCuts(run, { cuts: 2, outputChars: 400 })
  const options = {
    directory: run,
    repo: 'me/kun-demo',
    hubUrl: hub.url,
    token: 'hf_writer',
    connection: { triesMax: 1 },
  }
  for (const name of readdirSync(join(run, 'data')).filter((each) => each.includes('-000'))) {
    const path = join(run, 'data', name)
    const whole = readFileSync(path)
    // The first page: a value of a string, which decodes as well with another character.
    flip(path, 60)
    await t.rejects(publish(options), { code: 'KUN_CORRUPT_FILE', message: new RegExp(`${name} .*sha256`) })
    writeFileSync(path, whole)
  }
  await t.rejects(hub.content('me/kun-demo', 'README.md'), 'nothing was committed')
  t.ok((await publish(options)).filesUploaded > 0, 'the parts as they were are published')
})

t.test('publish refuses a damaged publish.json and says to delete it', async (t) => {
  const directory = t.testdir({ hub: {}, run: {} })
  const hub = await startHub({ directory: join(directory, 'hub') })
  t.teardown(() => hub.close())
  const run = join(directory, 'run')
  await addCuts(run, { cuts: 1 })
  const options = { directory: run, repo: 'me/kun-demo', hubUrl: hub.url, token: 'hf_writer' }
  await publish(options)
  const path = join(run, 'publish.json')
  // A digit of a number, so that it stays valid JSON.
  writeFileSync(path, readFileSync(path, 'utf8').replace(/"rows": \d/, '"rows": 9'))
  await t.rejects(publish(options), { code: 'KUN_CORRUPT_FILE', message: /publish\.json is damaged.*Delete it/ })
})

t.test('a mirror keeps its good copy of a part or log that is damaged in the run', async (t) => {
  const root = t.testdir({ run: {}, mirror: {} })
  const [directory, to] = [join(root, 'run'), join(root, 'mirror')]
  await addCuts(directory, { cuts: 2 })
  for (const folder of ['dedup', 'replies']) await makeDurableDirectory(nodeFiles, join(directory, folder))
  for (const path of ['dedup/index', 'replies/000000.log']) {
    const log = await openAppendLog({ files: nodeFiles, path: join(directory, path), header: { kind: 'test' } })
    for (const text of ['one', 'two', 'three']) log.append(Buffer.from(text))
    await log.close()
  }
  await mirrorRun({ directory, to })
  const [part] = readdirSync(join(directory, 'data'))
  for (const name of [`data/${part}`, 'dedup/index', 'replies/000000.log']) {
    const path = join(directory, name)
    const whole = readFileSync(path)
    flip(path, 70)
    const refusal = { code: 'KUN_CORRUPT_FILE', message: new RegExp(name.split('/')[1] as string) }
    await t.rejects(mirrorRun({ directory, to }), refusal)
    const again = join(root, `again-${name.replace('/', '-')}`)
    await restoreFromMirror({ directory: again, from: to })
    t.strictSame(readFileSync(join(again, name)), whole, name)
    writeFileSync(path, whole)
  }
})
