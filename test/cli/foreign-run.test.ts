import { copyFileSync, cpSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { recipeOfRun } from '../../lib/cli/commands/rebuild.js'
import { checkForeignRun } from '../../lib/cli/foreign-run.js'
import { isOwnRun, markOwnRun } from '../../lib/cli/own-run.js'
import { encodeSealed } from '../../lib/storage/sealed-json.js'

function runOf(root: string, endpoints: readonly string[]): string {
  const directory = join(root, 'run')
  mkdirSync(directory, { recursive: true })
  const recipe = {
    name: 'a',
    sources: [{ split: 'a', preset: 'skypile', files: ['/home/**/*.jsonl', '!**/x.jsonl'] }],
    models: { writer: { endpoints, model: 'writer' } },
    kun: { label: { model: 'writer' }, score: { model: 'writer' }, polish: { model: 'writer' } },
    output: { dir: 'out' },
  }
  writeFileSync(join(directory, 'run.json'), encodeSealed({ pinned: {}, free: { recipe } }))
  return directory
}

async function checked(directory: string, overrides: readonly string[] = [], trust = false): Promise<string> {
  const lines: string[] = []
  const recipe = await recipeOfRun(directory, join(directory, '..', 'out'), overrides)
  await checkForeignRun({ directory, recipe, overrides, trust, print: (line) => lines.push(line) })
  return lines.join('\n')
}

t.test(
  'a run directory of another account sends texts to another machine only with --trust or a named server',
  async (t) => {
    const directory = runOf(t.testdir(), ['http://10.0.0.9:8000/v1'])
    await t.rejects(checked(directory), {
      code: 'KUN_USAGE',
      message: /sends texts to http:\/\/10\.0\.0\.9:8000\/v1\. To allow it, add --trust, or name the servers: --set/,
    })
    const said = await checked(directory, [], true)
    t.match(said, 'reads for a: /home/**/*.jsonl, !**/x.jsonl')
    t.match(said, 'calls for writer: http://10.0.0.9:8000/v1')
    await t.resolves(checked(directory, ['models.writer.endpoints=["http://10.0.0.9:8000/v1"]']))
    await t.rejects(checked(directory, ['models.writer.inFlightMax=4']), { code: 'KUN_USAGE' })
  },
)

t.test('servers on this machine are allowed; a host name that only begins like one of them is not', async (t) => {
  for (const [at, url] of [
    'http://127.0.0.1:1/v1',
    'http://localhost:1/v1',
    'http://[::1]:1/v1',
    'builtin',
  ].entries()) {
    t.match(await checked(runOf(t.testdir({ [at]: {} }), [url])), 'was not written here')
  }
  for (const host of [
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '127.0.0.1@evil.example',
    '0.0.0.0',
    '[::]',
  ]) {
    await t.rejects(
      checked(runOf(t.testdir({ [host.replace(/\W/g, '_')]: {} }), [`http://${host}/v1`])),
      /--trust/,
      host,
    )
  }
})

t.test('a run of this account is rebuilt without --trust, also after it was moved', async (t) => {
  const directory = runOf(t.testdir(), ['http://10.0.0.9:8000/v1'])
  await markOwnRun(directory)
  t.equal(await checked(directory), '')
  renameSync(directory, `${directory}-2`)
  t.equal(await checked(`${directory}-2`), '')
})

t.test('a copy, another run.json, or an origin.json that is a link or of another run needs --trust', async (t) => {
  const root = t.testdir()
  const directory = runOf(root, ['http://10.0.0.9:8000/v1'])
  t.equal(await isOwnRun(directory), false, 'no mark')
  await markOwnRun(directory)
  t.equal(await isOwnRun(directory), true)
  const copy = join(root, 'copy')
  cpSync(directory, copy, { recursive: true })
  t.equal(await isOwnRun(copy), false, 'copied')
  await markOwnRun(copy)
  renameSync(join(copy, 'run.json'), join(copy, 'old.json'))
  copyFileSync(join(copy, 'old.json'), join(copy, 'run.json'))
  t.equal(await isOwnRun(copy), false, 'another run.json')

  const target = join(root, 'precious')
  writeFileSync(target, 'precious')
  for (const name of ['origin.json', 'origin.json.writing']) {
    const linked = join(root, `linked-${name}`)
    mkdirSync(linked)
    copyFileSync(join(directory, 'run.json'), join(linked, 'run.json'))
    symlinkSync(target, join(linked, name))
    t.equal(await isOwnRun(linked), false)
    await markOwnRun(linked)
    t.equal(readFileSync(target, 'utf8'), 'precious', 'the mark follows no link')
    t.equal(await isOwnRun(linked), true)
  }
})
