import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { main } from '../../lib/cli/main.js'
import { startHub } from '../../lib/simulator/hub/index.js'
import { projectRoot } from '../support/root.js'
import { addCuts } from '../support/run-directory.js'

interface Said {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Of the environment, all that could tell the command where a Hub or a token is. */
const nothing = { HF_TOKEN: '', HF_TOKEN_PATH: '', HF_ENDPOINT: '', HF_HOME: '', HF_HUB_OFFLINE: '' }

/** The whole command, in this process, as if it had been started in `home` with these variables. */
async function kunStream(t: Test, home: string, args: readonly string[], given: Record<string, string>): Promise<Said> {
  const variables = { ...nothing, HOME: home, XDG_CACHE_HOME: join(home, 'cache'), ...given }
  const before = { folder: process.cwd(), variables: { ...process.env }, exitCode: process.exitCode }
  for (const [name, value] of Object.entries(variables)) {
    if (value === '') delete process.env[name]
    else process.env[name] = value
  }
  process.chdir(home)
  const [out, err] = [t.capture(process.stdout, 'write', () => true), t.capture(process.stderr, 'write', () => true)]
  const textOf = (captured: typeof out) =>
    captured()
      .map(({ args: [text] }) => String(text))
      .join('')
  try {
    const code = await main(['node', 'kun-stream', ...args])
    return { code, out: textOf(out), err: textOf(err) }
  } finally {
    out.restore()
    err.restore()
    process.chdir(before.folder)
    process.exitCode = before.exitCode
    for (const name of Object.keys(variables)) {
      const value = before.variables[name]
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

const tokens = {
  hf_writer: { name: 'me', role: 'write' as const },
  hf_reader: { name: 'me', role: 'read' as const },
  hf_other: { name: 'you', role: 'write' as const },
}

async function started(t: Test, storageBytesMax = Infinity) {
  const root = t.testdir({ run: {}, home: {} })
  const hub = await startHub({ directory: join(root, 'hub'), tokens, storageBytesMax })
  t.teardown(() => hub.close())
  const home = join(root, 'home')
  const refused = async (
    args: readonly string[],
    variables: Record<string, string>,
    code: number,
    ...says: RegExp[]
  ) => {
    const said = await kunStream(t, home, args, { HF_ENDPOINT: hub.url, ...variables })
    const name = `${args.join(' ')} with ${JSON.stringify(variables)}`
    t.equal(said.code, code, `${name}\n${said.err}`)
    t.equal(said.out, '', 'nothing on stdout')
    for (const saying of says) t.match(said.err, saying, name)
    t.notMatch(said.err, /^ {4}at |hf_(writer|reader|other|none)|my-password/m, 'no stack and no token')
  }
  return { hub, root, home, refused, run: join(root, 'run') }
}

t.test('hub ls: each refusal ends with 2 and says what to do', async (t) => {
  const { hub, refused } = await started(t)
  hub.seed('me/corpus', { 'data/a.jsonl': '{"text":"a"}\n' })
  hub.seed('me/secret', { 'data/a.jsonl': '{"text":"a"}\n' }, { private: true })
  const writer = { HF_TOKEN: 'hf_writer' }
  await refused(['hub', 'ls', 'me/none'], {}, 2, /there is no dataset me\/none at http.*export HF_TOKEN=hf_… if/)
  await refused(['hub', 'ls', 'me/secret'], { HF_TOKEN: 'hf_other' }, 2, /the token from HF_TOKEN cannot see it/)
  await refused(['hub', 'ls', 'me/corpus', '--revision', 'v9'], writer, 2, /has no revision v9: see http.*\/branches/)
  await refused(
    ['hub', 'ls', 'me/corpus', 'x/*'],
    writer,
    2,
    /no file of me\/corpus at main matches x\/\* \(of 1 listed/,
  )
  await refused(['hub', 'ls', 'me/corpus'], { HF_TOKEN: 'my-password' }, 2, /does not know the token from HF_TOKEN/)
  await refused(['hub', 'ls', 'me/corpus'], { HF_TOKEN: 'hf_none' }, 2, /does not know the token.*create a new one/)
  await refused(['hub', 'ls', 'me/corpus'], { HF_HUB_OFFLINE: '1' }, 2, /HF_HUB_OFFLINE is set.*unset it/)
  await refused(['hub', 'ls', 'me/corpus', '--token', 'env:MINE'], {}, 2, /MINE is not set: export MINE=hf_…/)
  await refused(
    ['hub', 'ls', 'me/corpus'],
    { HF_ENDPOINT: 'mirror.example' },
    2,
    /must begin with http:\/\/ or https:\/\//,
  )
  const locked = { HF_ENDPOINT: 'https://me:my-password@mirror.example' }
  await refused(['hub', 'ls', 'me/corpus'], locked, 2, /^(?!.*my-).*a password \(not shown\): remove it/s)
})

const recipe = (repo: string) => `
name: refused
sources: [{ split: mine, text: text, hub: ${repo}, files: 'data/*' }]
hub: { backoffMs: 0 }
workers: { threads: 1 }
models: { builtin: { endpoints: [builtin] } }
kun: { label: { model: builtin } }
output: { dir: out }
`

t.test(
  'run: a source that is missing or gated ends with 2; once access is granted the same command does it',
  async (t) => {
    const { hub, home, refused } = await started(t)
    const text = readFileSync(join(projectRoot, 'fixtures/skypile/data/2020-40_zh_head_0000.jsonl'), 'utf8')
    const lines = text.split('\n').slice(0, 12).join('\n')
    const granted: string[] = []
    hub.seed('me/gated', { 'data/a.jsonl': lines }, { gated: 'auto', granted })
    writeFileSync(join(home, 'missing.yaml'), recipe('me/none'))
    writeFileSync(join(home, 'gated.yaml'), recipe('me/gated'))
    const other = { HF_TOKEN: 'hf_other' }
    await refused(['run', 'missing.yaml'], other, 2, /there is no dataset me\/none/, /Check owner\/name/)
    t.notOk(existsSync(join(home, 'out')), 'no run directory is made')
    await refused(['plan', 'missing.yaml'], other, 2, /there is no dataset me\/none/)
    await refused(['run', 'gated.yaml'], {}, 2, /gated: request access on http.*me\/gated, then export HF_TOKEN=hf_…/)
    await refused(['run', 'gated.yaml'], other, 2, /the dataset me\/gated is gated: request access on http.*me\/gated /)
    await refused(['run', 'gated.yaml'], { HF_TOKEN: 'my-password' }, 2, /does not know the token from HF_TOKEN/)
    granted.push('you')
    const done = await kunStream(t, home, ['run', 'gated.yaml'], { HF_ENDPOINT: hub.url, ...other })
    t.equal(done.code, 0, done.err)
    t.ok(existsSync(join(home, 'out', 'manifest.jsonl')))
  },
)

t.test('publish: each refusal says what to do, and the dataset is as it was', async (t) => {
  const { hub, run, refused } = await started(t, 100_000)
  await addCuts(run, { cuts: 1 })
  const go = ['publish', run, '--repo', 'me/demo']
  await refused(go, {}, 2, /needs a token with the role "write": export HF_TOKEN=hf_…/)
  await refused(go, { HF_TOKEN: 'my-password' }, 2, /does not know the token from HF_TOKEN/)
  await refused(go, { HF_TOKEN: 'hf_none' }, 2, /does not know the token from HF_TOKEN.*create a new one/)
  await refused(go, { HF_TOKEN: 'hf_reader' }, 2, /can only read: create one with the role "write"/)
  await refused(go, { HF_TOKEN: 'hf_other' }, 2, /refuses to write to me\/demo.*"write" for that owner/)
  t.throws(() => hub.tree('me/demo'), 'nothing was made')
  const writer = { HF_TOKEN: 'hf_writer' }
  await refused(['publish', join(run, 'none'), '--repo', 'me/demo'], writer, 2, /none/)
  const done = await kunStream(t, run, go, { HF_ENDPOINT: hub.url, ...writer })
  t.equal(done.code, 0, done.err)
  const tree = hub.tree('me/demo')
  t.equal(Object.keys(tree).length, 5)

  await addCuts(run, { cuts: 3, rowsPerCut: 400 })
  await refused(
    go,
    writer,
    2,
    /refuses to store more for me\/demo: the storage quota of its owner is exceeded.*Delete data/,
  )
  t.same(hub.tree('me/demo'), tree, 'quota: no part of it was committed')
  await refused([...go, '--branch', 'next'], writer, 2, /storage/)
  t.same(hub.tree('me/demo', 'next'), tree, 'on a branch, too')
})

t.test(
  'publish: a branch that moves for ever ends with 3; published again when it rests, the dataset is whole',
  async (t) => {
    const { hub, run, refused } = await started(t)
    await addCuts(run, { cuts: 1 })
    hub.seed('me/demo', { 'notes.txt': 'mine' })
    const go = ['publish', run, '--repo', 'me/demo']
    const writer = { HF_TOKEN: 'hf_writer' }
    hub.faults.set([{ kind: 'move-branch', match: '/commit/', times: -1 }])
    await refused(go, writer, 3, /main of me\/demo moved 8 times.*nothing is lost; publish again/)
    const others = ['notes.txt', 'somebody-else.txt']
    t.same(Object.keys(hub.tree('me/demo')).sort(), others)
    hub.faults.set([{ kind: 'move-branch', match: '/commit/' }])
    const done = await kunStream(t, run, go, { HF_ENDPOINT: hub.url, ...writer })
    t.equal(done.code, 0, done.err)
    t.match(done.err, /0 of 2 data files uploaded/)
    const data = ['data/skypile-00000-of-00001.parquet', 'data/wudao-00000-of-00001.parquet']
    t.same(Object.keys(hub.tree('me/demo')).sort(), [
      'README.md',
      'README_zh.md',
      'assets/funnel.svg',
      ...data,
      ...others,
    ])
  },
)

t.test('the exit code and the message are those of the process', async (t) => {
  const home = t.testdir({})
  const program = join(projectRoot, 'dist/bin/kun-stream.js')
  const env = { PATH: process.env.PATH, HOME: home, HF_HUB_OFFLINE: '1' }
  const said = spawnSync(process.execPath, [program, 'hub', 'ls', 'me/none'], { env, encoding: 'utf8' })
  t.match(said, { status: 2, stdout: '', stderr: /^HF_HUB_OFFLINE is set, so no request is sent to https:.*\n$/ })
})
