import { randomUUID } from 'node:crypto'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { createBranch, downloadFile, listFiles } from '@huggingface/hub'
import t, { type Test } from 'tap'
import { parseDocument } from 'yaml'
import { AbortedError } from '../../lib/errors.js'
import { type PublishOptions, publish } from '../../lib/publish/publish.js'
import { type Hub, type HubOptions, startHub } from '../../lib/simulator/hub/index.js'
import { lockRunDirectory } from '../../lib/storage/lock/lock.js'
import { lockLine } from '../../lib/storage/lock/lock-file.js'
import { thisProcess } from '../../lib/storage/lock/lock-holder.js'
import { encodeSealed } from '../../lib/storage/sealed-json.js'
import { addCuts, pairColumns, rowOf } from '../support/run-directory.js'

const token = 'hf_writer'
const repo = 'me/kun-demo'
/** No waiting, one try: what fails, fails at once. */
const once = { triesMax: 1, backoffMs: 0 }
const patient = { triesMax: 5, backoffMs: 0 }

async function started(t: Test, options: Partial<HubOptions> = {}) {
  const directory = t.testdir({ hub: {}, run: {}, other: {} })
  const hub = await startHub({ directory: join(directory, 'hub'), ...options })
  t.teardown(() => hub.close())
  const run = join(directory, 'run')
  const go = (more: Partial<PublishOptions> = {}) =>
    publish({ directory: run, repo, hubUrl: hub.url, token, connection: patient, ...more })
  return { hub, run, other: join(directory, 'other'), go }
}

/** Rows of the branch as DuckDB reads them from files that the Hub's own client downloaded. */
async function rowsOf(t: Test, hub: Hub, split: string, revision = 'main'): Promise<Record<string, unknown>[]> {
  const client = { repo: `datasets/${repo}`, hubUrl: hub.url, accessToken: token, revision }
  const folder = t.testdirName
  const paths: string[] = []
  for await (const { path, type } of listFiles({ ...client, recursive: true })) {
    if (type !== 'file' || !path.startsWith(`data/${split}-`)) continue
    const blob = (await downloadFile({ ...client, path })) as Blob
    const local = join(folder, `read-${revision.replaceAll('/', '-')}-${path.replaceAll('/', '-')}`)
    writeFileSync(local, new Uint8Array(await blob.arrayBuffer()))
    paths.push(local)
  }
  const connection = await (await DuckDBInstance.create()).connect()
  const list = paths.map((path) => `'${path}'`).join(', ')
  const reader = await connection.runAndReadAll(
    `select instruction, output, id, "offset"::double as "offset", score, messages[2].content as said from read_parquet([${list}])`,
  )
  connection.closeSync()
  return reader.getRowObjectsJS()
}

function wantedRows(split: string, count: number, seed = 1): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, number) => {
    const { messages, ...row } = rowOf(split, number, { seed })
    return { ...row, said: row.output }
  })
}

function puts(hub: Hub): string[] {
  return hub.log
    .filter(({ method, status }) => method === 'PUT' && status === 200)
    .map(({ path }) => path.split('?')[0] as string)
}

const dataPaths = ['data/skypile-00000-of-00001.parquet', 'data/wudao-00000-of-00001.parquet']

t.test('a run is joined, uploaded and committed with its card in one commit; again, nothing is sent', async (t) => {
  const { hub, run, go } = await started(t)
  await addCuts(run, { cuts: 4 })
  const phases = new Set<string>()
  let share = 0
  const first = await go({
    private: true,
    license: 'cc-by-4.0',
    onProgress: ({ phase, bytesDone, bytesTotal }) => {
      phases.add(phase)
      share = bytesDone / bytesTotal
    },
  })
  t.same([...phases], ['join', 'upload', 'commit', 'check'])
  t.equal(share, 1)
  t.same(Object.keys(hub.tree(repo)).sort(), ['README.md', 'README_zh.md', 'assets/funnel.svg', ...dataPaths])
  t.same(
    first.files.map(({ path, rows }) => [path, rows]),
    dataPaths.map((path) => [path, 20]),
  )
  t.equal(hub.log.filter(({ path }) => path.includes('/commit/')).length, 1)
  for (const split of ['skypile', 'wudao']) t.same(await rowsOf(t, hub, split), wantedRows(split, 20), split)
  const before = hub.log.length
  const second = await go()
  t.match(second, { filesUploaded: 0, bytesUploaded: 0, written: [], deleted: [], commit: first.commit })
  t.ok(
    hub.log.slice(before).every(({ method }) => method === 'GET' || method === 'HEAD'),
    'nothing was written',
  )
  t.notOk(existsSync(join(run, 'publish')), 'no temporary files stay')
  rmSync(join(run, 'publish.json'))
  t.match(await go(), { filesUploaded: 0, written: [], deleted: [] }, 'also without its notes')
})

t.test(
  'of two that publish one directory, the second is refused; a run that holds the directory is in no way',
  async (t) => {
    const { hub, run, go } = await started(t)
    await addCuts(run, { cuts: 2 })
    const held = await lockRunDirectory(run)
    let second: Promise<unknown> | null = null
    await go({
      onProgress: () => {
        second ??= go().catch((error: unknown) => error)
      },
    })
    t.match(await second, {
      code: 'KUN_RUN_LOCKED',
      exitCode: 2,
      message: /process \d+ on .* publishes this run directory/,
    })
    t.ok(hub.tree(repo)[dataPaths[0] as string])
    t.match(await go({ dryRun: true }), { written: [] })
    t.match(await go(), { filesUploaded: 0, written: [] }, 'it can be published again once the first is done')
    await held.release()
    t.notOk(existsSync(join(run, 'publish.lock')))
  },
)

t.test(
  'a publish that was killed in another container is taken over after its lease, and the wait can be stopped',
  async (t) => {
    const { hub, run, go } = await started(t)
    await addCuts(run, { cuts: 1 })
    const holder = { ...thisProcess(), namespace: 'pid:[1]', token: randomUUID() }
    const path = join(run, 'publish.lock')
    writeFileSync(path, lockLine({ ...holder, leaseMs: 600_000 }))
    const stop = new AbortController()
    const waits: string[] = []
    const waiting = go({
      signal: stop.signal,
      onWait: (line) => {
        waits.push(line)
        stop.abort(new AbortedError('stopped'))
      },
    })
    await t.rejects(waiting, { code: 'KUN_ABORTED' } as never)
    t.match(waits, [/publish\.lock is held by process \d+ .*cannot be seen from here/])
    t.ok(existsSync(path))
    t.equal(hub.log.filter(({ method }) => method === 'PUT').length, 0)
  },
)

t.test('an upload whose answer is lost, 429, 5xx, a moved branch and a conflict are got over', async (t) => {
  const { hub, run, go } = await started(t)
  await addCuts(run, { cuts: 2 })
  hub.seed(repo, { 'notes.txt': 'mine' })
  hub.faults.set([
    { kind: 'move-branch', match: '/commit/', times: 2 },
    { kind: 'status', status: 409, match: '/commit/', from: 3 },
    { kind: 'reset-after', match: '/commit/', from: 4 },
    { kind: 'rate-limit', waitSeconds: 0, match: 'POST .*/batch' },
    { kind: 'status', status: 503, match: 'PUT' },
  ])
  const result = await go()
  const others = ['notes.txt', 'somebody-else.txt']
  t.same(Object.keys(hub.tree(repo)).sort(), [
    'README.md',
    'README_zh.md',
    'assets/funnel.svg',
    ...dataPaths,
    ...others,
  ])
  t.same(await rowsOf(t, hub, 'wudao'), wantedRows('wudao', 10))
  t.equal(result.deleted.length, 0)
})

t.test(
  'a run that goes on publishes sealed files under names that stay; the last publish renames without sending',
  async (t) => {
    const { hub, run, go } = await started(t)
    await addCuts(run, { cuts: 3, splits: ['wudao'], rowsPerCut: 30 })
    const small = { fileBytes: 1 }
    await go({ ...small, sealedOnly: true })
    t.same(
      Object.keys(hub.tree(repo)).filter((path) => path.startsWith('data/')),
      ['data/wudao-000000.parquet', 'data/wudao-000001.parquet'],
    )
    await addCuts(run, { cuts: 1, splits: ['wudao'], rowsPerCut: 30 })
    const sealed = await go({ ...small, sealedOnly: true })
    t.equal(sealed.filesUploaded, 1)
    const last = await go(small)
    t.equal(last.filesUploaded, 1, 'the tail')
    const names = [0, 1, 2, 3].map((number) => `data/wudao-0000${number}-of-00004.parquet`)
    t.same(
      Object.keys(hub.tree(repo))
        .filter((path) => path.startsWith('data/'))
        .sort(),
      names,
    )
    t.same(await rowsOf(t, hub, 'wudao'), wantedRows('wudao', 120))
  },
)

t.test('more files than a commit takes are committed in steps that can each be loaded', async (t) => {
  const { hub, run, go } = await started(t, { filesPerCommitMax: 4 })
  await addCuts(run, { cuts: 7, splits: ['wudao'] })
  const many = { fileBytes: 1, filesPerCommitMax: 4 }
  hub.faults.set([{ kind: 'reset', match: '/commit/', from: 2, times: -1 }])
  await t.rejects(go({ ...many, connection: once }), { code: 'KUN_HUB_UNAVAILABLE' } as never)
  const halfway = (await hub.content(repo, 'README.md')).toString()
  t.notMatch(halfway, /num_examples/, 'a card that counts would be refused by datasets')
  t.match(halfway, /data\/wudao-\*/)
  hub.faults.set([])
  await go(many)
  t.equal((await rowsOf(t, hub, 'wudao')).length, 35)
  t.match((await hub.content(repo, 'README.md')).toString(), /num_examples: 35/)
  t.equal(new Set(puts(hub)).size, puts(hub).length)
  t.match(await go(many), { filesUploaded: 0, written: [], deleted: [] })
})

t.test('another run is added with append, refused without, put in the place of the first with replace', async (t) => {
  const { hub, run, other, go } = await started(t)
  await addCuts(run, { cuts: 2, splits: ['wudao'] })
  await addCuts(other, { cuts: 1, splits: ['wudao', 'skypile'], seed: 2 })
  await go()
  const refused = {
    code: 'KUN_USAGE',
    message: /holds 1 data files that were not published by this run.*--append/,
  } as never
  const before = hub.log.length
  await t.rejects(go({ directory: other }), refused)
  t.ok(
    hub.log.slice(before).every(({ method }) => method === 'GET'),
    'before anything is sent',
  )
  const added = await go({ directory: other, append: true })
  t.equal(added.filesUploaded, 2)
  t.same(await rowsOf(t, hub, 'wudao'), [...wantedRows('wudao', 10), ...wantedRows('wudao', 5, 2)])
  const card = (await hub.content(repo, 'README.md')).toString()
  t.match(card, /name: wudao\n +num_bytes: \d+\n +num_examples: 15/, 'rows of both, counted from footers')
  t.match(card, /^20 pairs .* Other runs wrote 10 of the rows: /m)
  t.match(await go({ directory: other, append: true }), { filesUploaded: 0, written: [], deleted: [] })
  await addCuts(other, { cuts: 1, splits: ['wudao', 'skypile'], seed: 2 })
  t.match(
    await go({ directory: other, append: true }),
    { filesUploaded: 2 },
    'a tail that grew takes the place of the old one',
  )
  t.same(await rowsOf(t, hub, 'wudao'), [...wantedRows('wudao', 10), ...wantedRows('wudao', 10, 2)])
  await go({ directory: run, replace: true })
  t.same(await rowsOf(t, hub, 'wudao'), wantedRows('wudao', 10))
  t.equal(Object.keys(hub.tree(repo)).filter((path) => path.includes('skypile')).length, 0)
})

t.test('a branch, and a pull request that is opened once', async (t) => {
  const { hub, run, go } = await started(t)
  await addCuts(run, { cuts: 1 })
  await go({ branch: 'next' })
  t.same(Object.keys(hub.tree(repo)), [], 'main is as it was')
  t.same(Object.keys(hub.tree(repo, 'next')).length, 5)
  const opened = await go({ pullRequest: true })
  t.match(opened.url, /\/datasets\/me\/kun-demo\/discussions\/1$/)
  t.equal(opened.filesUploaded, 0, 'the store of the repository has them')
  t.match(await go({ pullRequest: true }), { written: [], url: opened.url })
  await addCuts(run, { cuts: 1 })
  t.match(await go({ pullRequest: true }), { url: opened.url }, 'goes on in the same one')
  t.same((await rowsOf(t, hub, 'wudao', 'refs/pr/1')).length, 10)
  t.throws(() => hub.tree(repo, 'refs/pr/2'))

  const discussion = `${hub.url}/api/datasets/${repo}/discussions/1`
  const headers = { authorization: `Bearer ${token}` }
  await fetch(`${discussion}/merge`, { method: 'POST', headers })
  t.same((await rowsOf(t, hub, 'wudao')).length, 10)
  t.match(await go({ pullRequest: true }), { written: [], pullRequest: null }, 'main has it all')
  await addCuts(run, { cuts: 1 })
  t.match((await go({ pullRequest: true, dryRun: true })).written, dataPaths)
  const second = await go({ pullRequest: true })
  t.match(second.url, /discussions\/2$/, 'one that was merged takes no more')
  await fetch(`${discussion.slice(0, -1)}2/status`, { method: 'POST', headers, body: '{"status":"closed"}' })
  t.match((await go({ pullRequest: true })).url, /discussions\/3$/, 'nor does one that was closed')
  t.same((await rowsOf(t, hub, 'wudao')).length, 10)
})

t.test('what this run put on another branch is its own: not refused, and not kept beside its successor', async (t) => {
  const { hub, run, go } = await started(t)
  await addCuts(run, { cuts: 1 })
  await go()
  await createBranch({ repo: `datasets/${repo}`, hubUrl: hub.url, accessToken: token, branch: 'old' })
  await addCuts(run, { cuts: 1 })
  await go({ branch: 'next' })
  t.same(await rowsOf(t, hub, 'wudao', 'next'), wantedRows('wudao', 10))
  await addCuts(run, { cuts: 1 })
  await go({ pullRequest: true })
  t.same(await rowsOf(t, hub, 'wudao', 'refs/pr/1'), wantedRows('wudao', 15))
  await go()
  for (const branch of ['main', 'next', 'old']) {
    await go({ branch, append: true })
    t.same(await rowsOf(t, hub, 'wudao', branch), wantedRows('wudao', 15), branch)
  }
})

t.test('a dry run says what would be written and writes nothing', async (t) => {
  const { hub, run, go } = await started(t)
  await addCuts(run, { cuts: 1 })
  const would = await go({ dryRun: true })
  t.same(would.written, [...dataPaths, 'README.md', 'README_zh.md', 'assets/funnel.svg'])
  t.equal(would.commit, null)
  t.ok(hub.log.every(({ method }) => method === 'GET'))
  t.notOk(existsSync(join(run, 'publish.json')))
  await go()
  t.match(await go({ dryRun: true }), { written: [], deleted: [] }, 'the card, too, is as it would be')
  t.same((await go({ dryRun: true, license: 'other' })).written, ['README.md'])
})

t.test('rows with other columns are not added: the dataset could not be loaded any more', async (t) => {
  const { hub, run, other, go } = await started(t)
  await addCuts(run, { cuts: 1 })
  await addCuts(other, {
    cuts: 1,
    columns: [...pairColumns, { name: 'grade', type: 'string', nullable: true }],
    seed: 2,
  })
  await go()
  const [tree, before] = [hub.tree(repo), puts(hub).length]
  const message = /data\/skypile-00000-of-00001.parquet of me\/kun-demo has other columns.*\(grade string\).*--replace/
  for (const dryRun of [true, false]) {
    await t.rejects(go({ directory: other, append: true, dryRun }), { code: 'KUN_USAGE', message } as never)
  }
  t.same(hub.tree(repo), tree)
  t.equal(puts(hub).length, before, 'nothing was sent')
  const both = { code: 'KUN_INVALID_OPTION', message: /append and replace of publish are both set/ } as never
  await t.rejects(go({ directory: other, append: true, replace: true }), both)
  t.equal((await go({ directory: other, replace: true })).filesUploaded, 2)
})

t.test('every refusal says what to do and leaves the dataset as it was', async (t) => {
  const tokens = {
    [token]: { name: 'me', role: 'write' as const },
    hf_reader: { name: 'me', role: 'read' as const },
    hf_other: { name: 'you', role: 'write' as const },
  }
  const { hub, run, other, go } = await started(t, { tokens, storageBytesMax: 100_000 })
  await addCuts(run, { cuts: 1 })
  const refused = async (message: RegExp, options: Partial<PublishOptions>, code = 'KUN_HUB_ACCESS') => {
    await t.rejects(go(options), { code, message } as never, String(message))
  }
  await refused(/can only read: create one with the role "write" on/, { token: 'hf_reader' })
  await refused(/does not know the token from the option token/, { token: 'my-password' })
  await refused(/does not know the token/, { token: 'hf_revoked' })
  await refused(/refuses to write to me\/kun-demo .* role "write" for that owner/, { token: 'hf_other' })
  await refused(/holds no rows yet: run it first/, { directory: other }, 'KUN_USAGE')
  t.throws(() => hub.tree(repo), 'nothing was made')
  await go()
  const tree = hub.tree(repo)
  await addCuts(run, { cuts: 3, rowsPerCut: 400 })
  await refused(/storage quota of its owner is exceeded.*storage limit reached/, {})
  t.same(hub.tree(repo), tree, 'no part of it was committed')
  hub.faults.set([{ kind: 'move-branch', match: '/commit/', times: -1 }])
  await refused(
    /moved 8 times while 2 files were committed: nothing is lost/,
    { directory: await smaller(other), replace: true },
    'KUN_HUB_UNAVAILABLE',
  )
})

async function smaller(directory: string): Promise<string> {
  await addCuts(directory, { cuts: 1, seed: 3 })
  return directory
}

t.test('a listing that differs from what was committed is an error', async (t) => {
  const { hub, run, go } = await started(t)
  await addCuts(run, { cuts: 1 })
  hub.faults.set([{ kind: 'wrong-size', match: '/tree/', from: 3 }])
  const message = /was committed to me\/kun-demo with \d+ bytes .* but the Hub lists/
  await t.rejects(go(), { code: 'KUN_HUB_UNAVAILABLE', message } as never)
})

t.test('the card has what the Hub reads, and the user keeps what is not ours', async (t) => {
  const { hub, run, go } = await started(t)
  await addCuts(run, { cuts: 2 })
  const commit = 'c'.repeat(40)
  const shards = ['a', 'b'].map((path) => ({ split: 'wudao', path, sizeBytes: 1000, content: `${commit} ${path}` }))
  const sources = [{ split: 'wudao', hub: 'p208p2002/wudao' }]
  const pinned = { recipe: { name: 'demo', sources, models: { writer: { apiKey: 'secret' } } }, shards }
  writeFileSync(join(run, 'run.json'), encodeSealed({ pinned, free: {} }))
  await go({ license: 'cc-by-4.0' })
  const card = (await hub.content(repo, 'README.md')).toString()
  const fields = (text: string) => parseDocument(/^---\n([\s\S]*?)---\n/.exec(text)?.[1] ?? '').toJS()
  t.match(fields(card), {
    language: ['zh'],
    license: 'cc-by-4.0',
    source_datasets: ['p208p2002/wudao'],
    size_categories: ['n<1K'],
    configs: [
      { config_name: 'default', data_files: [{ split: 'skypile', path: 'data/skypile-*' }, { split: 'wudao' }] },
    ],
    dataset_info: {
      features: [
        { name: 'instruction', dtype: 'string' },
        { name: 'output' },
        { name: 'id' },
        { name: 'offset', dtype: 'int64' },
        { name: 'score', dtype: 'float64' },
        {
          name: 'messages',
          list: [
            { name: 'role', dtype: 'string' },
            { name: 'content', dtype: 'string' },
          ],
        },
      ],
      splits: [
        { name: 'skypile', num_examples: 10 },
        { name: 'wudao', num_examples: 10 },
      ],
    },
  })
  t.match(card, /!\[What each stage took in and let through\]\(assets\/funnel.svg\)/)
  t.match(card, /\| documents \| 20 \| 16 \| too-short 4 \|/)
  t.match(card, /\| `wudao` \| \[p208p2002\/wudao\].* at commit `cccccccccccc` \| 2 \| 2,000 \|/)
  t.notMatch(card, /secret/)
  const mine = card
    .replace('license: cc-by-4.0', 'license: other\npretty_name: 我的数据 # keep me')
    .replace('<!-- kun-stream:begin', '# My own words\n\nBefore.\n\n<!-- kun-stream:begin')
    .concat('\nAfter.\n')
  const chinese = (await hub.content(repo, 'README_zh.md')).toString()
  t.match(chinese, /^<!-- kun-stream:begin.*\n\n# kun-demo\n\n\[English\]\(README\.md\)/)
  hub.seed(repo, { 'README.md': mine, 'README_zh.md': `我的说明\n\n${chinese}` })
  await addCuts(run, { cuts: 1 })
  await go()
  const again = (await hub.content(repo, 'README.md')).toString()
  t.match(again, /# My own words\n\nBefore\.\n\n<!-- kun-stream:begin/)
  t.match(again, /kun-stream:end -->\n\nAfter\.\n$/)
  t.match(again, /pretty_name: 我的数据 # keep me/)
  t.match(fields(again), { license: 'other', dataset_info: { splits: [{ num_examples: 15 }, { num_examples: 15 }] } })
  t.equal(again.split('## Samples').length, 2, 'our part is there once')
  const chineseAgain = (await hub.content(repo, 'README_zh.md')).toString()
  t.match(chineseAgain, /^我的说明\n\n<!-- kun-stream:begin/)
  t.equal(chineseAgain.split('## 样例').length, 2, 'so is the Chinese one')
  hub.seed(repo, { 'README.md': '---\nlicense: [mit\n---\n' })
  await t.rejects(go(), { code: 'KUN_USAGE', message: /YAML at the top of README.md.*correct it there/ } as never)
})
