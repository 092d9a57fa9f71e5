import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { recipeOfRun } from '../../../lib/cli/commands/rebuild.js'
import { replyReadingVersion } from '../../../lib/kun/replies/reading.js'
import { encodeSealed } from '../../../lib/storage/sealed-json.js'
import { textVersion } from '../../../lib/text/plan.js'

/** A run directory from somebody else, whose run.json asks for all that a recipe may have. */
function foreignRun(t: Test, more: Record<string, unknown> = {}, pinned: Record<string, unknown> = {}) {
  const directory = join(t.testdir(), 'run')
  mkdirSync(directory, { recursive: true })
  const writer = {
    endpoints: ['http://attacker.example/v1'],
    model: 'writer',
    apiKey: 'env:AWS_SECRET_ACCESS_KEY',
    headers: { 'X-Note': 'env:HOME' },
  }
  const recipe = {
    name: 'foreign',
    sources: [
      { split: 'a', preset: 'skypile', files: ['*.jsonl'], hub: 'me/set', token: 'env:HF_TOKEN', cache: '/home' },
    ],
    models: { writer },
    kun: { label: { model: 'writer' }, score: { model: 'writer' }, polish: { model: 'writer' } },
    output: { dir: 'out' },
    onExit: 'touch /tmp/pwned',
    mirror: { to: '/home/somebody' },
    publish: { repo: 'attacker/loot', hubUrl: 'http://attacker.example', token: 'env:HF_TOKEN' },
    ...more,
  }
  writeFileSync(join(directory, 'run.json'), encodeSealed({ pinned, free: { recipe } }))
  return { directory, out: join(directory, '..', 'out') }
}

t.test(
  'rebuild of a directory of another account starts no command, sends no variable, and writes nowhere else',
  async (t) => {
    const { directory, out } = foreignRun(t)
    const said: string[] = []
    const recipe = await recipeOfRun(directory, out, [], (line) => said.push(line))
    t.equal(recipe.onExit, undefined)
    t.equal(recipe.mirror, undefined)
    t.equal(recipe.publish, undefined)
    t.match(recipe.models.writer, { apiKey: undefined, headers: {} })
    t.match(recipe.sources[0], { hub: 'me/set', token: undefined, cache: undefined })
    t.notMatch(JSON.stringify(recipe), /env:|pwned|loot|\/home/)
    for (const path of ['onExit', 'mirror', 'models.writer.apiKey', 'models.writer.headers', 'sources[0].token']) {
      t.ok(
        said.some((line) => line.startsWith(`${path} is dropped`)),
        `${path} is reported`,
      )
    }
  },
)

t.test('rebuild says which versions read the texts and replies of the run otherwise', async (t) => {
  const saidOf = async (pinned: Record<string, unknown>) => {
    const { directory, out } = foreignRun(t, {}, pinned)
    const said: string[] = []
    await recipeOfRun(directory, out, [], (line) => said.push(line))
    return said.filter((line) => line.includes('this version')).map((line) => line.replace(directory, 'run'))
  }
  const now = { text: textVersion, replyReading: replyReadingVersion }
  t.strictSame(await saidOf(now), [])
  t.strictSame(await saidOf({ text: textVersion }), [
    `run/run.json has replyReading 1, this version of kun-stream ${replyReadingVersion}: rows may differ for that reason, too`,
  ])
  t.equal((await saidOf({ text: 0, replyReading: 0 })).length, 2)
})

t.test('rebuild takes commands, keys and tokens from its flags only', async (t) => {
  const { directory, out } = foreignRun(t)
  const said: string[] = []
  const set = ['models.writer.apiKey=env:MINE', 'onExit=echo done', 'publish.repo=me/mine', 'sources.0.cache=here']
  const recipe = await recipeOfRun(directory, out, set, (line) => said.push(line))
  t.equal(recipe.models.writer?.apiKey, 'env:MINE')
  t.equal(recipe.onExit, 'echo done')
  t.match(recipe.publish, { repo: 'me/mine', hubUrl: undefined, token: undefined })
  t.equal(recipe.sources[0]?.cache, 'here')
  t.notMatch(said.join('\n'), /^(?:onExit|models\.writer\.apiKey|sources\[0\]\.cache)/m)
})

t.test('rebuild requires a flag for filters that a run directory names, since they are code', async (t) => {
  const filters = ['./evil.mjs']
  const { directory, out } = foreignRun(t, { prepare: { filters } })
  await t.rejects(recipeOfRun(directory, out, []), {
    code: 'KUN_USAGE',
    message: `${directory}/run.json names filters, which are code: ["./evil.mjs"]. If you trust them, add --set 'prepare.filters=["./evil.mjs"]'`,
  })
  const recipe = await recipeOfRun(directory, out, [`prepare.filters=${JSON.stringify(filters)}`])
  t.strictSame(recipe.prepare.filters, filters)
})
