import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { tableFromIPC } from 'apache-arrow'
import t, { type Test } from 'tap'
import * as api from '../../lib/index.js'
import { projectRoot } from '../support/root.js'
import { tinyRecipe } from '../support/session.js'

const page = readFileSync(join(projectRoot, 'docs/library.md'), 'utf8')
const programs = [...page.matchAll(/^```js\n([\s\S]*?)^```/gm)]
  .map((match) => match[1] as string)
  .filter((code) => code.includes("from 'kun-stream'"))
const library = pathToFileURL(join(projectRoot, 'dist/lib/index.js')).href

t.equal(programs.length, 3, 'programs on the page')

async function run(t: Test, program: string) {
  const directory = t.testdir({
    fixtures: t.fixture('symlink', join(projectRoot, 'fixtures')),
    recipes: t.fixture('symlink', join(projectRoot, 'recipes')),
  })
  writeFileSync(join(directory, 'program.mjs'), program.replaceAll("'kun-stream'", `'${library}'`))
  const child = spawn(process.execPath, ['program.mjs'], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  t.equal(code, 0, err)
  return { directory, out, err }
}

t.test('docs/library.md: a corpus as deduplicated chunks, which DuckDB reads', async (t) => {
  const { directory, out } = await run(t, programs[0] as string)
  const duckdb = await (await DuckDBInstance.create()).connect()
  t.teardown(() => duckdb.closeSync())
  const rows = await duckdb.runAndReadAll(`
    select count(*), count(distinct id), min(tokens), max(tokens) from read_parquet('${directory}/chunks.parquet')`)
  const [count, ids, tokensMin, tokensMax] = (rows.getRows()[0] ?? []).map(Number)
  t.ok(count !== undefined && count > 100, `${count} rows`)
  t.equal(ids, count, 'no id twice')
  t.ok((tokensMin ?? 0) > 0 && (tokensMax ?? 1000) <= 256, `${tokensMin} to ${tokensMax} tokens`)
  t.match(out, new RegExp(`^write: ${count} in|dedup: \\d+ in, ${count} out`, 'm'))
  const rejects = readFileSync(join(directory, 'rejects.jsonl'), 'utf8').trim().split('\n')
  t.ok(rejects.every((line) => typeof JSON.parse(line).reason === 'string'))
})

t.test('docs/library.md: the whole method, whose Arrow output says what each column is', async (t) => {
  const { directory } = await run(t, programs[1] as string)
  const table = tableFromIPC(readFileSync(join(directory, 'pairs.arrow')))
  t.ok(table.numRows > 50, `${table.numRows} rows`)
  t.equal(table.schema.metadata.get('kun_stream.kind'), 'pairs')
  for (const field of table.schema.fields) t.match(field.metadata.get('description'), /^\S.*\.$/, field.name)
  for (const row of table) t.ok(row.instruction !== '' && row.output !== '' && row.score >= 0.5)
})

t.test('docs/library.md: stages and sinks between Node streams', async (t) => {
  const { out, err } = await run(t, programs[2] as string)
  const rows = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.ok(rows.length > 20 && rows.every(({ tokens }) => tokens >= 300), `${rows.length} rows`)
  t.match(err, /^[1-9]\d* chunks dropped/)
})

t.test('a program runs a recipe, reads its rows, mirrors and publishes it with what is exported alone', async (t) => {
  const root = t.testdir()
  const [simulator, hub] = [await api.startSimulator({}), await api.startHub({ directory: join(root, 'hub') })]
  t.teardown(() => Promise.all([simulator.close(), hub.close()]))
  const directory = join(root, 'run')
  const recipe = api.parseRecipe(tinyRecipe(simulator.url, true), 'tiny.yaml')
  const prepared = await api.settingsOf(recipe, directory)
  t.teardown(() => prepared.close())
  const session = await api.startKunRun(prepared.settings)
  t.equal(await session.done, 'input')
  const entries = await api.readManifest(directory)
  let rows = 0
  for (const { path, split } of entries.flatMap(({ files }) => files)) {
    if (split === null) continue
    const part = await api.openPart(join(directory, path))
    for await (const row of api.rowsOf(part)) rows += typeof row.instruction === 'string' ? 1 : 0
    await part.close()
  }
  t.equal(rows, session.progress().counters.skypile?.rows)
  t.match(await api.mirrorRun({ directory, to: join(root, 'mirror') }), { cuts: entries.length })
  t.match(await api.restoreFromMirror({ directory: join(root, 'again'), from: join(root, 'mirror') }), {
    cuts: entries.length,
  })
  const published = await api.publish({ directory, repo: 'me/tiny', hubUrl: hub.url, token: 'hf_me' })
  t.equal(
    published.files.reduce((sum, file) => sum + file.rows, 0),
    rows,
  )
})
