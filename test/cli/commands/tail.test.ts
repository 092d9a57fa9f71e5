import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { statusOf, statusText } from '../../../lib/cli/commands/status.js'
import { AbortedError } from '../../../lib/errors.js'
import { LatestWriter, readUncommitted } from '../../../lib/run/latest-file.js'
import { startSimulator } from '../../../lib/simulator/vllm/index.js'
import { command } from '../../support/commands.js'
import { startTiny } from '../../support/session.js'

const kunStream = (...args: string[]) => command('bin/kun-stream.js', args, { NO_COLOR: '1' }).ended

t.test('pairs that no cut holds yet are in latest.json; tail, inspect and status show them as such', async (t) => {
  const server = await startSimulator({})
  t.teardown(() => server.close())
  const directory = join(t.testdir(), 'run')
  const tiny = { directory, endpoint: server.url, small: true }
  // One cut for the whole input, so that nothing is committed while it runs.
  const run = await startTiny({ ...tiny, set: ['output.candidatesPerCut=100000', 'models.judge.inFlightMax=2'] })
  const writer = new LatestWriter(directory, run.latest)
  for (let tries = 0; run.latest.snapshot().pairs < 3 && tries < 3000; tries++) await setTimeout(10)
  await writer.write()
  run.abort(new AbortedError('stopped'))
  await t.rejects(run.done, { code: 'KUN_ABORTED' })
  const found = await readUncommitted(directory)
  t.ok(found !== null && found.pairs >= 3)
  const [first] = found?.latestPairs ?? []

  const json = await kunStream('tail', directory, '--json', '-n', '100')
  const lines = json.out.trim().split('\n')
  t.equal(lines.length, found?.latestPairs.length)
  t.match(JSON.parse(lines[0] ?? ''), { committed: false, id: first?.id, output: first?.output, reject: null })
  const inspected = await kunStream('inspect', directory, '-n', '1')
  t.match(inspected, {
    code: 0,
    out: /^── skypile · not committed yet ─+\ninstruction .*\n1 of \d+ finished pairs that are not/s,
  })
  const status = stripVTControlCharacters(statusText(await statusOf(directory), 80))
  t.match(status, new RegExp(`Not committed yet: ${found?.pairs} pairs and \\d+ rejects?; see them with .* tail `))

  const rest = await startTiny({ ...tiny, set: ['output.candidatesPerCut=100000'] })
  await rest.done
  t.equal(await readUncommitted(directory), null, 'once they are committed they are not shown twice')
  await new LatestWriter(directory, rest.latest).discard()
  t.notOk(existsSync(join(directory, 'latest.json')))
  const after = await kunStream('tail', directory, '--json', '-n', '2')
  const rows = after.out.trim().split('\n')
  t.equal(rows.length, 2)
  for (const row of rows) t.match(JSON.parse(row), { committed: true, id: /^[0-9a-f]{32}$/ })
})

t.test('a latest.json that is damaged, or of records that are committed, shows nothing', async (t) => {
  const directory = t.testdir({ 'run.json': '{}' })
  t.equal(await readUncommitted(directory), null)
  writeFileSync(join(directory, 'latest.json'), '{"pairs": 1, "latestPairs": [{"id"')
  t.equal(await readUncommitted(directory), null)
  t.match(await kunStream('tail', directory), { code: 0, out: '', err: / has no pairs; see why with --rejects\n$/ })
  t.match(await kunStream('tail', join(directory, 'nowhere')), { code: 2, err: /there is no such directory/ })
})
