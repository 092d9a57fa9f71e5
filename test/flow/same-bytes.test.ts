import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import t from 'tap'
import type { Counters } from '../../lib/run/accounting.js'
import { startSimulator } from '../../lib/simulator/vllm/index.js'
import { command } from '../support/commands.js'
import { testSeed } from '../support/random.js'
import { bytesOf, runTiny } from '../support/session.js'

t.test(
  'the same input and replies give the same bytes, whatever the threads, the requests in flight and the latency',
  async (t) => {
    const seed = testSeed()
    t.comment(`seed ${seed}`)
    const root = t.testdir()
    let expected: Record<string, string> | null = null
    for (const [index, { threads, dedupThreads, readThread, inFlight }] of [
      { threads: 1, dedupThreads: 0, readThread: false, inFlight: 1 },
      { threads: 2, dedupThreads: 2, readThread: true, inFlight: 64 },
      { threads: 4, dedupThreads: 5, readThread: true, inFlight: 500 },
    ].entries()) {
      const latencyMs = { min: 0, max: inFlight === 1 ? 1 : 40 }
      const server = await startSimulator({ preset: 'delay', latencyMs, seed: seed + index })
      t.teardown(() => server.close())
      const directory = join(root, `run-${index}`)
      const end = await runTiny({
        directory,
        endpoint: server.url,
        set: [
          `workers.threads=${threads}`,
          `workers.dedupThreads=${dedupThreads}`,
          `workers.readThread=${readThread}`,
          `models.writer.inFlightMax=${inFlight}`,
          `models.judge.inFlightMax=${inFlight}`,
        ],
      })
      t.equal(end, 'input')
      const bytes = bytesOf(directory)
      expected ??= bytes
      t.ok(Object.keys(bytes).length > 10, `${Object.keys(bytes).length} files`)
      t.strictSame(bytes, expected, `${threads} threads, ${dedupThreads} for duplicates, ${inFlight} in flight`)
    }
  },
)

t.test('the demo gives the same bytes with one thread and with three', async (t) => {
  const root = t.testdir()
  const bytes = []
  for (const threads of [1, 3]) {
    const directory = join(root, `threads-${threads}`)
    const args = ['run', 'recipes/demo.yaml', '--out', directory, '--set', `workers.threads=${threads}`]
    const { code, err } = await command('bin/kun-stream.js', args).ended
    t.equal(code, 0, err)
    bytes.push(bytesOf(directory))
  }
  t.ok(Object.keys(bytes[0] ?? {}).length > 4)
  t.strictSame(bytes[1], bytes[0])
})

t.test(
  'DuckDB reads every part of both encoders, its counts are those of stats.json, and the account is exact',
  async (t) => {
    const server = await startSimulator({})
    t.teardown(() => server.close())
    const root = t.testdir()
    const duckdb = await (await DuckDBInstance.create()).connect()
    t.teardown(() => duckdb.closeSync())
    for (const encoder of ['hyparquet-writer', 'parquetjs-lite']) {
      const directory = join(root, encoder)
      await runTiny({ directory, endpoint: server.url, set: [`output.encoder=${encoder}`] })
      const { splits } = JSON.parse(readFileSync(join(directory, 'stats.json'), 'utf8')) as { splits: Counters }
      for (const [split, own] of Object.entries(splits)) {
        const rejected = (rejects: Readonly<Record<string, Readonly<Record<string, number>>>>): number =>
          Object.values(rejects)
            .flatMap((reasons) => Object.values(reasons))
            .reduce((sum, count) => sum + count, 0)
        t.equal(own.documents, own.documentsChunked + rejected(own.documentRejects), `${split}: documents`)
        t.equal(own.chunks, own.candidates + rejected(own.chunkRejects), `${split}: chunks`)
        t.equal(own.attempts, own.rows + rejected(own.attemptRejects), `${split}: attempts`)
        const files = readdirSync(join(directory, 'data')).filter((name) => name.startsWith(`${split}-`))
        const rows = files.length === 0 ? 0 : await count(`read_parquet('${directory}/data/${split}-*.parquet')`)
        t.equal(rows, own.rows, `${split}: ${rows} rows in ${files.length} files`)
        const rejects = await count(`read_parquet('${directory}/rejects/*.parquet') where split = '${split}'`)
        const all = [own.documentRejects, own.chunkRejects, own.attemptRejects].map(rejected)
        t.equal(
          rejects,
          all.reduce((sum, each) => sum + each, 0),
          `${split}: ${rejects} rejects`,
        )
      }
      t.equal(splits.nothing?.rows, 0)
      t.ok((splits.nothing?.documents ?? 0) > 10, 'a split that yields nothing is in the account')
      const ids = await count(
        `(select id from read_parquet('${directory}/data/*.parquet') group by id having count(*) > 1)`,
      )
      t.equal(ids, 0, 'no id twice')
    }

    async function count(from: string): Promise<number> {
      const [row] = (await duckdb.runAndReadAll(`select count(*) as n from ${from}`)).getRowObjects()
      return Number(row?.n)
    }
  },
)
