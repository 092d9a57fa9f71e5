import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import t, { type Test } from 'tap'
import { registerHub } from '../../lib/cli/commands/hub.js'
import { registerPublish } from '../../lib/cli/commands/publish.js'
import { startHub } from '../../lib/simulator/hub/index.js'
import { addCuts } from '../support/run-directory.js'

async function command(t: Test, ...argv: string[]): Promise<{ stdout: string; stderr: string }> {
  const program = new Command().exitOverride()
  registerPublish(program)
  registerHub(program)
  const [out, err] = [t.capture(process.stdout, 'write'), t.capture(process.stderr, 'write')]
  try {
    await program.parseAsync(argv, { from: 'user' })
  } finally {
    out.restore()
    err.restore()
  }
  const said = (captured: typeof out) =>
    captured()
      .map(({ args }) => String(args[0]))
      .join('')
  return { stdout: said(out), stderr: said(err) }
}

t.test('publish prints the address of the dataset, hub ls the files of a source', async (t) => {
  const root = t.testdir({ run: {} })
  const hub = await startHub({ directory: join(root, 'hub') })
  t.teardown(() => hub.close())
  await addCuts(join(root, 'run'), { cuts: 2 })
  process.env.MINE = 'hf_mine'
  t.teardown(() => delete process.env.MINE)
  const there = ['--hub-url', hub.url, '--token', 'env:MINE']
  const would = await command(t, 'publish', join(root, 'run'), '--repo', 'me/demo', '--dry-run', ...there)
  t.match(would.stderr, /^would write {2}data\/skypile-00000-of-00001.parquet$/m)
  const done = await command(t, 'publish', join(root, 'run'), '--repo', 'me/demo', '--private', ...there)
  t.equal(done.stdout, `${hub.url}/datasets/me/demo\n`)
  t.match(done.stderr, /2 of 2 data files uploaded, [\d.]+ kB; 5 paths written, 0 deleted\./)
  const again = await command(t, 'publish', join(root, 'run'), '--repo', 'me/demo', '--json', ...there)
  t.match(JSON.parse(again.stdout), { filesUploaded: 0, written: [] })
  t.match(again.stderr, 'Nothing was sent')
  const listed = await command(t, 'hub', 'ls', 'me/demo', 'data/*.parquet', ...there)
  t.match(listed.stdout, /^ *[\d.]+ kB {2}data\/skypile-00000-of-00001.parquet\n.*wudao-00000-of-00001.parquet\n$/)
  t.match(listed.stderr, /^2 files, [\d.]+ kB, at commit [0-9a-f]{40}\n$/)
  t.match(JSON.parse((await command(t, 'hub', 'ls', 'me/demo', '--json', ...there)).stdout), {
    repo: 'me/demo',
    files: Array,
  })
  const wrong = { code: 'KUN_INVALID_OPTION', message: /is given as "demo": write owner\/name/ } as never
  await t.rejects(command(t, 'hub', 'ls', 'demo', ...there), wrong)
  await t.rejects(command(t, 'publish', join(root, 'run'), '--repo', 'demo', ...there), wrong)
})

/** A Python with `datasets`: on the path, or where KUN_STREAM_PYTHON says. */
const python = process.env.KUN_STREAM_PYTHON ?? 'python3'
const hasDatasets = spawnSync(python, ['-c', 'import datasets']).status === 0

const script = `
import sys, json, datasets
loaded = datasets.load_dataset('me/demo')
rows = {split: [dict(row) for row in loaded[split]] for split in sorted(loaded)}
print(json.dumps({'features': sorted(loaded['wudao'].features), 'rows': rows}))
`

const skip = hasDatasets ? false : `${python} has no package datasets`
t.test('load_dataset of Python gives the same rows, and its counts are those of the card', { skip }, async (t) => {
  const root = t.testdir({ run: {}, home: {} })
  const hub = await startHub({ directory: join(root, 'hub') })
  t.teardown(() => hub.close())
  await addCuts(join(root, 'run'), { cuts: 3 })
  const there = ['--hub-url', hub.url, '--token', 'env:MINE']
  process.env.MINE = 'hf_mine'
  t.teardown(() => delete process.env.MINE)
  await command(t, 'publish', join(root, 'run'), '--repo', 'me/demo', ...there)
  const file = join(root, 'load.py')
  writeFileSync(file, script)
  const env = {
    ...process.env,
    HF_ENDPOINT: hub.url,
    HF_HOME: join(root, 'home'),
    HF_HUB_DISABLE_XET: '1',
    HF_TOKEN: 'hf_py',
  }
  const child = spawn(python, [file], { env })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (part) => (stdout += part))
  child.stderr.on('data', (part) => (stderr += part))
  const code = await new Promise((resolve) => child.once('close', resolve))
  t.equal(code, 0, stderr.slice(-2000))
  const { features, rows } = JSON.parse(stdout)
  t.same(features, ['id', 'instruction', 'messages', 'offset', 'output', 'score'])
  t.equal(rows.skypile.length, 15)
  t.match(rows.wudao[14], { offset: 14_000, instruction: '请介绍 wudao 的第 14 段?', score: 0.14 })
  t.equal(rows.wudao[14].messages[1].content, rows.wudao[14].output)
})
