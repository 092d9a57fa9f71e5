/** `plan --gpus`: its figures follow from the arithmetic and from the model of `bench scale`; its options are checked. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { candidatesBySize, type ScaleQuestion, scaleForecast } from '../../../lib/cli/plan/scale-forecast.js'
import { mainInProcess } from '../../support/main-in-process.js'

const question: ScaleQuestion = {
  ...{ gpus: 64, candidates: 10_000_000, candidatesFrom: 'option', candidatesPerUnit: 20_000 },
  ...{ gpuSeconds: 0.153, gpuSecondsFrom: 'default', lifeHours: null, gpuHourPrice: 2 },
}

t.test('without losses the time is that of the work, loading and the tail', (t) => {
  const { units, unitSeconds, hours, gpuHours, cost, losses, slurm, workers, store, shippedBytes, tailSeconds } =
    scaleForecast(question)
  t.match({ units, unitSeconds, losses, workers }, { units: 500, unitSeconds: 3060, losses: 0, workers: 64 })
  const work = (question.candidates * question.gpuSeconds) / 3600
  t.ok(gpuHours > work, 'loading and the tail are paid for')
  t.ok(gpuHours < work + (64 * (tailSeconds + 180)) / 3600 + 1, 'and nothing else')
  t.equal(hours, gpuHours / 64)
  t.equal(cost, gpuHours * 2)
  t.strictSame(slurm, { unitsPerElement: 1, elements: 500, arrays: 1 })
  // 102 shipments of replies, four parts and a result; the unit and whether it has a result.
  t.ok(store.writes > 105 * units && store.writes < 109 * units, `${store.writes} writes`)
  t.equal(store.reads, 2 * units)
  t.equal(shippedBytes.replies, 12e9)
  t.end()
})

t.test('losses cost waste, more of them with a shorter life; a large run is simulated smaller', (t) => {
  const waste = [null, 6, 3, 1].map((lifeHours) => scaleForecast({ ...question, lifeHours }).wasteShare)
  t.strictSame(
    waste,
    [...waste].sort((a, b) => a - b),
  )
  const small = scaleForecast({ ...question, lifeHours: 3, candidates: 1e9, gpus: 1024 })
  const large = scaleForecast({ ...question, lifeHours: 3, candidates: 1e11, gpus: 102_400 })
  const near = (one: number, other: number): boolean => Math.abs(one / other - 1) < 0.02
  t.ok(near(small.hours, large.hours), `${small.hours} and ${large.hours} hours`)
  t.ok(near(100 * small.gpuHours, large.gpuHours))
  t.ok(near(100 * small.store.writes, large.store.writes))
  t.ok(near(small.wasteShare, 0.0206), 'as bench scale')
  t.end()
})

t.test('a run smaller than a unit is one unit; elements of Slurm take as many units as fit into an hour', (t) => {
  t.match(scaleForecast({ ...question, candidates: 10 }), { units: 1, unitSeconds: 1.53, workers: 1 })
  t.match(scaleForecast({ ...question, candidatesPerUnit: 1000 }).slurm, {
    unitsPerElement: 23,
    elements: 435,
    arrays: 1,
  })
  t.end()
})

t.test('candidates by the size of the input: compressed shards have three times as much text', (t) => {
  const shard = (path: string, sizeBytes: number | null) => ({ path, sizeBytes })
  t.equal(candidatesBySize([shard('a.jsonl', 2e6)]), 700)
  t.equal(candidatesBySize([shard('a.jsonl.zst', 2e6), shard('b.parquet', 2e6)]), 4200)
  t.equal(candidatesBySize([shard('a.jsonl', 2e6), shard('http', null)]), null)
  t.end()
})

t.test('plan --gpus prints the figures, and refuses options that have no effect', async (t) => {
  const folder = t.testdir({ 'a.jsonl': `${JSON.stringify({ body: '春天来了，河边的柳树发出嫩芽。'.repeat(20) })}\n` })
  const file = join(folder, 'recipe.yaml')
  writeFileSync(
    file,
    `name: x
sources: [{ split: train, text: body, files: '${join(folder, 'a.jsonl')}' }]
models: { main: { endpoints: [builtin] } }
kun: { label: { model: main } }
output: { dir: '${join(folder, 'run')}' }
`,
  )
  const plan = (...flags: string[]) => mainInProcess(t, ['plan', file, '--offline', ...flags])
  const given = ['--gpus', '64', '--candidates', '10000000', '--gpu-life-hours', '3', '--gpu-seconds', '0.2']
  const { code, stdout } = await plan(...given)
  t.equal(code, 0)
  for (const line of [
    'In units, on 64 GPUs:',
    'candidates       10,000,000\n',
    'work             0.2 GPU seconds a candidate\n',
    'units            500 of 20,000 candidates, 67 min each on one GPU',
    'submit --slurm --parallel 64: 500 elements of 1 unit in 1 array',
  ]) {
    t.ok(stdout.includes(line), line)
  }
  t.match(stdout, / {2}losses +\d+ if a GPU lives 3 h 00 min on average: \d\.\d % of the work is repeated/)
  const { scale } = JSON.parse((await plan(...given, '--json')).stdout)
  t.match(scale, { gpus: 64, units: 500, candidatesFrom: 'option', gpuSecondsFrom: 'option', lifeHours: 3 })
  t.equal(JSON.parse((await plan('--json')).stdout).scale, null)
  t.match((await plan('--gpus', '2')).stdout, 'estimated from the size of the input; give --records or --candidates')
  t.match(await plan('--candidates', '9'), { code: 2, stderr: /--candidates need --gpus/ })
  t.match(await plan('--gpus', '2', '--gpu-life-hours', '0.01'), { code: 2, stderr: /give at least 0\.1/ })
})
