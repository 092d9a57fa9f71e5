import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { readTimings } from '../../../lib/report/timings.js'
import { startHub } from '../../../lib/simulator/hub/index.js'
import { type Simulator, startSimulator } from '../../../lib/simulator/vllm/index.js'
import { readManifest } from '../../../lib/sinks/index.js'
import { durableFiles, localFiles, logFolders, manifestName, partFolders } from '../../../lib/storage/run-layout.js'
import { projectRoot } from '../../support/root.js'
import { bytesOf, tinyRecipe } from '../../support/session.js'

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The command as users start it. */
async function kunStream(args: readonly string[], environment: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [join(projectRoot, 'dist/bin/kun-stream.js'), ...args], {
    env: { ...process.env, NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (bytes) => (said.stdout += bytes))
  child.stderr.on('data', (bytes) => (said.stderr += bytes))
  const [code] = (await once(child, 'close')) as [number]
  return { code, ...said }
}

async function setUp(t: Test, options: Parameters<typeof startSimulator>[0] = {}) {
  const server = await startSimulator(options)
  t.teardown(() => server.close())
  const root = t.testdir()
  const recipe = join(root, 'recipe.yaml')
  writeFileSync(recipe, tinyRecipe(server.url, true))
  const directory = join(root, 'run')
  const run = (...more: string[]) => kunStream(['run', recipe, '--out', directory, ...more])
  return { server, root, recipe, directory, run }
}

const settings = (...pairs: string[]): string[] => pairs.flatMap((pair) => ['--set', pair])

t.test('a recipe that cannot be run: one message with the path in it, exit code 2, nothing written', async (t) => {
  const { run, directory } = await setUp(t)
  const wrong: [string, string, RegExp][] = [
    ['an unknown key', 'kun.scor.keepAtLeast=1', /kun\.scor\b.*score/s],
    ['a wrong type', 'workers.threads=many', /workers\.threads: found "many"/],
    ['a missing file', 'sources[0].files=nowhere/*.jsonl', /^sources\[0\]\.files: no file matches nowhere\/\*\.jsonl/],
    [
      'a server that is not there',
      'models.judge.endpoints=["http://127.0.0.1:1/v1"]',
      /^models\.judge\.endpoints: no endpoint of model 'judge' responds: no response from http:\/\/127\.0\.0\.1:1\/v1/,
    ],
    ['a filter that is not there', 'prepare.filters=[./nowhere.mjs]', /nowhere\.mjs/],
  ]
  await Promise.all(
    wrong.map(async ([what, setting, words]) => {
      const { code, stdout, stderr } = await run(...settings(setting, 'servers.startMaxMs=0'))
      t.equal(code, 2, what)
      t.match(stderr.trim(), words, what)
      t.notMatch(stderr, /\n\s+at /, 'no stack')
      t.equal(stdout, '')
    }),
  )
  t.equal(existsSync(directory), false, 'nothing is written')
  t.match(await run('--force'), { code: 2, stderr: /--force requires --fresh/ })
})

t.test('bad data becomes rejects with shard and offset, and the run continues', async (t) => {
  const { run, root, directory } = await setUp(t)
  const good = (n: number) =>
    `${JSON.stringify({
      text: `第${n}篇。${readFileSync(join(projectRoot, 'README.zh.md'), 'utf8')
        .replace(/[^一-龥，。]/g, '')
        .slice(n * 60, n * 60 + 400)}`,
    })}\n`
  const input = join(root, 'input')
  mkdirSync(input)
  const lines = [
    Buffer.from(good(0)),
    Buffer.from('{"text": "开头没有结尾\n'),
    Buffer.from('{"title": "没有正文"}\n'),
    Buffer.from(`{"text": "${'长'.repeat(20_000)}"}\n`),
    Buffer.concat([Buffer.from('{"text": "'), Buffer.from([0xff, 0xfe, 0xc3, 0x28]), Buffer.from('"}\n')]),
    Buffer.from(good(1)),
  ]
  writeFileSync(join(input, 'lines.jsonl'), Buffer.concat(lines))
  const zipped = gzipSync(Array.from({ length: 400 }, (_, n) => JSON.stringify({ text: `${n}`.repeat(9) })).join('\n'))
  writeFileSync(join(input, 'cut.jsonl.gz'), zipped.subarray(0, zipped.length / 2))
  writeFileSync(join(input, 'early.json'), `[${good(2)},${good(3)},{"text":"没有完`)
  const source = `sources=[{ split: mine, text: text, files: ['${input}/*'] }]`
  const { code, stderr } = await run(...settings(source, 'read.recordBytesMax=16KiB', 'read.blockBytes=32KiB'))
  t.equal(code, 0, stderr)
  const shown = await kunStream(['inspect', directory, '--rejects', '--json', '-n', '2000'])
  const rejects = shown.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { shard: string; offset: number; stage: string; reason: string })
  const offsetOf = (line: number) => lines.slice(0, line).reduce((sum, { length }) => sum + length, 0)
  const at = (shard: string, offset: number) => rejects.filter((each) => each.shard === shard && each.offset === offset)
  for (const [line, reason] of [
    [1, /json/],
    [2, /text/],
    [3, /long|large|bytes/],
    [4, /utf/],
  ] as const) {
    const found = at('lines.jsonl', offsetOf(line))
    t.equal(found.length, 1, `line ${line} is rejected once`)
    t.match(found[0]?.reason, reason)
  }
  t.match(
    rejects.filter(({ shard, reason }) => shard === 'cut.jsonl.gz' && reason === 'shard-truncated'),
    [{ offset: Number }],
    'the truncated gzip file is reported as truncated',
  )
  t.ok(
    rejects.some(({ shard, reason }) => shard === 'early.json' && /truncated|json/.test(reason)),
    'so is the array',
  )
  t.match(await kunStream(['verify', directory]), { code: 0, stdout: /The dataset is intact/ })
  const known: readonly string[] = [manifestName, ...durableFiles, ...localFiles, ...partFolders, ...logFolders]
  t.same(
    readdirSync(directory).filter((name) => !known.includes(name)),
    [],
    'the layout names every file of a run directory',
  )
})

/** Resolves when the server was asked so often, or the command has ended. */
async function asked(server: Simulator, requests: number, ended: Promise<unknown>): Promise<void> {
  let over = false
  void ended.finally(() => {
    over = true
  })
  while (server.stats().requests < requests && !over) await new Promise((resolve) => setTimeout(resolve, 5))
}

t.test('requests to a server that went down are retried when it is up again', async (t) => {
  const { server, run, directory, root } = await setUp(t, { preset: 'delay', latencyMs: 10 })
  const ended = run(...settings('models.writer.inFlightMax=8', 'models.judge.inFlightMax=8'))
  await asked(server, 80, ended)
  server.kill()
  setTimeout(() => server.revive(), 500)
  const { code, stderr } = await ended
  t.equal(code, 0, stderr)
  t.match(stderr, /127\.0\.0\.1:\d+\/v1: responds again/, 'and it is said')
  const whole = join(root, 'whole')
  t.equal((await run('--out', whole)).code, 0)
  t.strictSame(bytesOf(directory), bytesOf(whole), 'nothing is lost or rejected for it')
})

t.test('an outage longer than outageMaxMs stops the run with exit code 3; committed cuts are kept', async (t) => {
  const { server, run, directory } = await setUp(t, { preset: 'delay', latencyMs: 10 })
  const few = settings('models.writer.inFlightMax=4', 'models.judge.inFlightMax=4')
  const ended = run(...few, ...settings('servers.outageMaxMs=300ms'))
  while ((await readManifest(directory).catch(() => [])).length < 1) await new Promise((each) => setTimeout(each, 20))
  server.kill()
  const { code, stderr } = await ended
  t.equal(code, 3, stderr)
  t.match(stderr, /(?:no model server responded|the model servers failed every request) for \d+ m?s/)
  t.match(stderr, /cuts? (?:is|are) committed in .* Resume with: .* run /)
  t.match(await kunStream(['verify', directory]), { code: 0, stdout: /The dataset is intact/ })
  t.match(await kunStream(['inspect', directory, '-n', '1']), { code: 0 })
  t.match((await readTimings(directory))[0], { end: 'KUN_OUTAGE' })
  await server.revive()
  t.equal((await run()).code, 0, 'the next call resumes it')
})

t.test('onExit receives code and reason: when the run is done, at a limit, and when it could not start', async (t) => {
  const { run, root } = await setUp(t)
  const output = join(root, 'output.txt')
  const command = `onExit=echo "$KUN_EXIT_CODE $KUN_EXIT_REASON" >> ${output}; echo arguments >> ${output}; echo`
  const on = settings(command)
  t.equal((await run(...on, ...settings('limits.tokensMax=500'))).code, 3)
  const second = await run(...on)
  t.equal(second.code, 0)
  t.match(second.stderr, /^0 done$/m, 'the arguments too')
  t.equal((await run(...on, ...settings('sources[0].files=nowhere'))).code, 2)
  const lines = readFileSync(output, 'utf8')
    .split('\n')
    .filter((line) => /^\d/.test(line))
  t.strictSame(lines, ['3 KUN_LIMIT', '0 done', '2 KUN_SOURCE_NOT_FOUND'])
  t.match(await run(...settings('onExit=exit 7')), { code: 0, stderr: /onExit ended with exit code 7/ })
})

t.test('publish: in a recipe publishes a run that is done; a Hub that refuses does not undo it', async (t) => {
  const { run, root, directory } = await setUp(t)
  const hub = await startHub({ directory: join(root, 'hub') })
  t.teardown(() => hub.close())
  const to = settings('publish.repo=me/tiny', `publish.hubUrl=${hub.url}`, 'publish.token=env:MINE')
  const args = ['run', join(root, 'recipe.yaml'), '--out', directory, ...to]
  t.match(await kunStream(args, { MINE: 'no_token' }), {
    code: 2,
    stdout: /tiny: done/,
    stderr: /The run is done, but not published: .*MINE.*\nRetry with: kun-stream publish/s,
  })
  t.match(await kunStream(['verify', directory]), { code: 0 })
  t.match(await kunStream(args, { MINE: 'hf_mine' }), { code: 0, stdout: `Published: ${hub.url}/datasets/me/tiny\n` })
  t.match(await run(), { code: 0 }, 'a recipe without it publishes nothing')
})

t.test('a run whose directory was lost resumes from its mirror', async (t) => {
  const { run, root, directory } = await setUp(t)
  const mirrored = settings(`mirror.to=${join(root, 'mirror')}`)
  t.equal((await run(...mirrored, ...settings('limits.rowsMax=20'))).code, 0)
  const cuts = (await readManifest(directory)).length
  rmSync(directory, { recursive: true })
  const back = await run('--from-mirror', ...mirrored)
  t.match(back, { code: 0, stderr: new RegExp(`^${cuts} cuts in \\d+ files \\([\\d.]+ [kM]B\\) restored from `, 'm') })
  t.ok((await readManifest(directory)).length > cuts, 'the run was resumed')
  t.match(await kunStream(['verify', directory]), { code: 0 })
  t.match(await run('--from-mirror'), { code: 2, stderr: /has no mirror\.to/ })
})
