import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { mainInProcess } from '../../support/main-in-process.js'

t.test('review --summary names the reviewers if nobody of the given name saved a decision', async (t) => {
  const run = t.testdir({ 'manifest.jsonl': '' })
  const summary = (...more: string[]) => mainInProcess(t, ['review', run, '--summary', ...more])
  t.match(await summary('--as', 'li'), { code: 2, stderr: /has no reviews: judge pairs without --summary first/ })
  mkdirSync(join(run, 'reviews'))
  const line = { id: 'a', verdict: 'good', score: 0.9, at: '2026-01-01T00:00:00.000Z' }
  writeFileSync(join(run, 'reviews', 'li.jsonl'), `${JSON.stringify(line)}\n`)
  t.match(await summary('--as', 'wang'), { code: 2, stderr: /no reviews by wang: give --as with one of li/ })
  t.match(await summary('--as', 'li'), { code: 0, stdout: /li: 1 good, 0 bad, 0 edited/ })
})
