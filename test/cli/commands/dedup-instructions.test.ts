import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openPart, rowsOf } from '../../../lib/parquet/part-reader.js'
import { startSimulator } from '../../../lib/simulator/vllm/index.js'
import { readManifest } from '../../../lib/sinks/index.js'
import { comparisonForm } from '../../../lib/text/signature.js'
import { command } from '../../support/commands.js'
import { runTiny } from '../../support/session.js'

t.test('dedup --on instruction: the best score of equal instructions stays, with all columns, in order', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir()
  const directory = join(root, 'run')
  await runTiny({ directory, endpoint: server.url })
  const rows: Record<string, unknown>[] = []
  for (const { path, split } of (await readManifest(directory)).flatMap((cut) => cut.files)) {
    if (split === null) continue
    const part = await openPart(join(directory, path))
    for await (const row of rowsOf(part)) rows.push(row)
    await part.close()
  }
  const best = new Map<string, Record<string, unknown>>()
  for (const row of rows) {
    const form = comparisonForm(String(row.instruction))
    const before = best.get(form)
    if (before === undefined || Number(row.score) > Number(before.score)) best.set(form, row)
  }
  const expected = rows.filter((row) => best.get(comparisonForm(String(row.instruction))) === row)
  t.ok(expected.length < rows.length, `${rows.length} rows, ${expected.length} instructions`)

  const out = join(root, 'out.parquet')
  const { code, err } = await command('bin/kun-stream.js', [
    'dedup',
    '--on',
    'instruction',
    '--exact',
    directory,
    '--out',
    out,
  ]).ended
  t.equal(code, 0, err)
  const part = await openPart(out)
  const written: Record<string, unknown>[] = []
  for await (const row of rowsOf(part)) written.push(row)
  await part.close()
  t.strictSame(written, expected)

  const lines = join(root, 'out.jsonl')
  const again = await command('bin/kun-stream.js', ['dedup', '--on', 'instruction', directory, '--out', lines]).ended
  t.equal(again.code, 0, again.err)
  const near = readFileSync(lines, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.ok(near.length > 0 && near.length <= expected.length, `${near.length} rows`)
  const wrong = await command('bin/kun-stream.js', ['dedup', '--on', 'instruction']).ended
  t.equal(wrong.code, 2)
  t.match(wrong.err, /--on reads one run directory, 0 were given/)
})
