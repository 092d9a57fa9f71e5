import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AbortedError } from '../../lib/errors.js'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { verifyDirectory } from '../../lib/run/verify.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { readManifest } from '../../lib/sinks/index.js'
import { comparisonForm } from '../../lib/text/signature.js'
import { bytesOf, runTiny, startTiny } from '../support/session.js'

t.test('a cut has each instruction once, the same whatever was in flight and after a stop', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const root = t.testdir()
  const set = ['kun.dedupInstructions=near']
  const run = (name: string, inFlight: number, threads: number) => {
    const more = [
      `models.writer.inFlightMax=${inFlight}`,
      `models.judge.inFlightMax=${inFlight}`,
      `workers.threads=${threads}`,
    ]
    return { directory: join(root, name), endpoint: server.url, set: [...set, ...more] }
  }
  await runTiny(run('one', 1, 1))
  const directory = join(root, 'one')
  await runTiny(run('many', 64, 3))
  t.strictSame(bytesOf(join(root, 'many')), bytesOf(directory))

  const stopped = run('stopped', 64, 1)
  const first = await startTiny(stopped)
  while (first.progress().cuts < 1) await new Promise((resolve) => setImmediate(resolve))
  first.abort(new AbortedError('the test stops it'))
  await t.rejects(first.done)
  await runTiny(stopped)
  t.strictSame(bytesOf(join(root, 'stopped')), bytesOf(directory))

  const ids = new Set<string>()
  let duplicates = 0
  for (const { cut, files } of await readManifest(directory)) {
    const forms = new Set<string>()
    for (const { path, split } of files) {
      const part = await openPart(join(directory, path))
      for await (const row of rowsOf(part)) {
        if (split !== null) {
          const form = comparisonForm(String(row.instruction))
          t.notOk(forms.has(form), `cut ${cut}: ${row.instruction}`)
          forms.add(form)
          ids.add(String(row.id))
        } else if (row.reason === 'duplicate-instruction') {
          duplicates++
          t.equal(row.stage, 'dedup-instructions')
          t.match(row.detail, /^duplicate of [\w-]+(?: at similarity [01]\.\d{3})?$/)
          t.ok(ids.has(/of ([\w-]+)/.exec(String(row.detail))?.[1] as string), 'of a row of this cut')
        }
      }
      await part.close()
    }
  }
  t.ok(duplicates > 0, `${duplicates} duplicates`)
  const { splits } = JSON.parse(readFileSync(join(directory, 'stats.json'), 'utf8'))
  let counted = 0
  for (const own of Object.values(splits) as {
    rows: number
    stages: Record<string, { out: number; dropped: Record<string, number> }>
  }[]) {
    counted += own.stages['dedup-instructions']?.dropped['duplicate-instruction'] ?? 0
    t.equal(own.stages['dedup-instructions']?.out, own.rows)
  }
  t.equal(counted, duplicates)
  t.strictSame((await verifyDirectory(directory)).findings, [])
})
