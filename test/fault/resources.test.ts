import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AbortedError } from '../../lib/errors.js'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { nodeFiles } from '../../lib/storage/files.js'
import { command } from '../support/commands.js'
import { bytesOn, differing, documents, miniRecipe, nobody, runMini, startMini } from './mini-run.js'

// Many whole runs: on a machine that is busy with others they take their time.
t.setTimeout(600_000)

const server = await startSimulator({ nonce: true })
t.teardown(() => server.close())

async function rejectsOf(directory: string): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = []
  for (const name of await nodeFiles.list(join(directory, 'rejects'))) {
    const part = await openPart(join(directory, 'rejects', name))
    try {
      for await (const row of rowsOf(part)) found.push(row)
    } finally {
      await part.close()
    }
  }
  return found
}

t.test(
  'a record that takes its thread along, or keeps it for ever, is one reject, and stays one where it would pass later',
  async (t) => {
    const root = t.testdir()
    const healed = join(root, 'healed')
    const filter = join(root, 'deadly.mjs')
    writeFileSync(
      filter,
      `import { existsSync } from 'node:fs'
    export default ({ text }) => {
      if (existsSync('${healed}')) return true
      if (text.startsWith('致命')) process.exit(7)
      if (text.startsWith('循环')) while (true);
      if (text.startsWith('贪吃')) for (const held = []; ; ) held.push(new Array(100_000).fill({ held: held.length }))
      return true
    }`,
    )
    const lines = documents(14).map((line, index) => {
      // All but the last in the first cut: what a thread was lost to after it is decided again.
      const marked = { 0: '循环', 2: '致命', 4: '贪吃', 11: '致命' }[index]
      return marked === undefined ? line : line.replace(/"text":\s*"/, (start) => `${start}${marked}`)
    })
    const input = join(root, 'documents.jsonl')
    writeFileSync(input, lines.join('\n'))
    const set = [`prepare.filters=["${filter}"]`, 'workers.heapBytesMax=64MiB', 'workers.blockMsMax=15s']
    const run = { directory: join(root, 'run'), endpoint: server.url, input, set }

    let committed = 0
    const first = await startMini(run, {
      onStep: (step, when) => {
        if (step !== 'manifest-fsync' || when !== 'after') return
        if (++committed === 1) first.abort(new AbortedError('after the first cut'))
      },
    })
    await t.rejects(first.done, { code: 'KUN_ABORTED' })
    t.equal((await readManifest(run.directory)).length, 1)
    writeFileSync(healed, '')
    t.equal(await runMini(run), 'input')
    const lost = (await rejectsOf(run.directory)).filter(({ reason }) => reason === 'worker-lost')
    t.match(lost.slice(0, 2), [
      { stage: 'prepare', detail: /code: 7/, excerpt: /致命/ },
      { stage: 'prepare', detail: /memory/, excerpt: /贪吃/ },
    ])

    const late = (await rejectsOf(run.directory)).filter(({ reason }) => reason === 'worker-timeout')
    t.match(late, [{ stage: 'prepare', detail: /15000 ms/, excerpt: /循环/ }])

    const again = { ...run, directory: join(root, 'again'), endpoint: nobody }
    await runMini({ ...again, set: [...set, `replies.from=["${run.directory}"]`] })
    const bytes = await bytesOn(nodeFiles, run.directory)
    t.strictSame(
      differing(await bytesOn(nodeFiles, again.directory), bytes),
      [],
      'a run from the replies says the same',
    )

    await runMini({ ...run, directory: join(root, 'anew') })
    const now = (await rejectsOf(join(root, 'anew'))).filter(({ reason }) => String(reason).startsWith('worker-'))
    t.strictSame(now, [], 'without those replies none is lost any more')
  },
)

t.test('what the disk refuses ends the command with a message, exit code 3, and a run that goes on', async (t) => {
  const root = t.testdir()
  const input = join(root, 'documents.jsonl')
  writeFileSync(input, documents(12).join('\n'))
  const recipe = join(root, 'recipe.yaml')
  writeFileSync(recipe, miniRecipe(server.url, input))
  for (const { errno, at, how, code, words } of [
    { errno: 'ENOSPC', at: 120, how: 'lasting', code: 3, words: /the disk is full \(ENOSPC\)\. Free some space/ },
    { errno: 'EROFS', at: 4, how: 'lasting', code: 2, words: /read-only \(EROFS\)\. Choose an output directory/ },
    { errno: 'EMFILE', at: 90, how: 'once', code: 3, words: /too many open files .*Raise the limit/ },
    { errno: 'none', at: 100, how: 'stray', code: 1, words: /bug in kun-stream.*gone astray.*Run it again/s },
  ]) {
    const out = join(root, errno)
    const args = ['run', recipe, '--out', out]
    const ended = await command('test/fault/program.js', [errno, String(at), how, ...args]).ended
    t.match(ended, { code, err: words }, `${errno}: exit code ${ended.code}`)
    t.equal((await command('bin/kun-stream.js', args).ended).code, 0, `${errno}: it goes on`)
    if (how === 'once' || at < 10) continue
    const again = { directory: `${out}-again`, endpoint: nobody, input }
    await runMini({ ...again, set: [`replies.from=["${out}"]`] })
    const bytes = await bytesOn(nodeFiles, out)
    t.strictSame(differing(await bytesOn(nodeFiles, again.directory), bytes), [], `${errno}: the same bytes`)
  }
})

t.test(
  'a run directory that cannot be made ends with a message and exit code 2: trying again does not help',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const root = t.testdir({ file: '', 'documents.jsonl': documents(1).join('') })
    const recipe = join(root, 'recipe.yaml')
    writeFileSync(recipe, miniRecipe(server.url, join(root, 'documents.jsonl')))
    for (const [out, errno] of [
      ['/proc/foo', 'ENOENT'],
      [join(root, 'file', 'run'), 'ENOTDIR'],
      [join(root, 'x'.repeat(300)), 'ENAMETOOLONG'],
    ] as const) {
      const ended = await command('bin/kun-stream.js', ['run', recipe, '--out', out]).ended
      t.match(ended, { code: 2, err: new RegExp(`could not .*\\(${errno}\\)\\. \\w`) }, out)
      t.notMatch(ended.err, /bug in kun-stream|\n +at /)
    }
  },
)
