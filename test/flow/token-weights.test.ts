/** The limit of chunks fitted to a tokenizer of a server: the simulator's, which is known. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AbortedError } from '../../lib/errors.js'
import { openPart, rowsOf } from '../../lib/parquet/part-reader.js'
import { weightsOf } from '../../lib/run/token-weights.js'
import { type SimulatorOptions, startSimulator } from '../../lib/simulator/vllm/index.js'
import { encode } from '../../lib/simulator/vllm/tokens.js'
import { estimateTokens } from '../../lib/text/tokens.js'
import { bytesOf, runTiny, startTiny } from '../support/session.js'

t.test('the weights are the median ratio, and one that at most one chunk in 100 exceeds', async (t) => {
  const estimated = estimateTokens('竹'.repeat(400))
  const fit = (ratios: readonly number[]) =>
    weightsOf(
      ratios.map(() => estimated),
      ratios.map((ratio) => ratio * estimated),
    )
  const spread = (count: number) => Array.from({ length: count }, (_, index) => 1 + index / 1000)
  t.strictSame(fit(spread(640)), { median: 1.32, most: 1.64 }, 'the third largest of 640')
  t.strictSame(fit(spread(500)), { median: 1.25, most: 1.5 }, 'the second largest of 500')
  t.strictSame(fit(spread(300)), { median: 1.15, most: 1.3 }, 'the largest of 300')
  t.strictSame(fit(spread(100)), { median: 1.05, most: 1.14 }, 'fewer: 3 % more than the largest')
})

const tokensMax = 48
const fitted = ['prepare.chunk.tokensOf=server', `prepare.chunk.tokensMax=${tokensMax}`]

async function serverFor(t: { teardown(close: () => Promise<void>): void }, options: Partial<SimulatorOptions> = {}) {
  const server = await startSimulator(options)
  t.teardown(() => server.close())
  return server
}

const counted = (server: Awaited<ReturnType<typeof serverFor>>) =>
  server.requests().filter(({ path }) => path === '/tokenize').length

const pinnedIn = (directory: string) =>
  JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')).pinned.tokenWeights

t.test('a run counts chunks once, pins the weights, and a resumed run takes them without /tokenize', async (t) => {
  const root = t.testdir()
  const server = await serverFor(t, { preset: 'delay', latencyMs: 5 })
  const events: string[] = []
  let reached = (): void => {}
  const cut = new Promise<void>((resolve) => {
    reached = resolve
  })
  const onStep = (step: string, when: string): void => {
    if (step === 'manifest-fsync' && when === 'after') reached()
  }
  const run = { directory: join(root, 'run'), endpoint: server.url, small: true, set: fitted }
  const started = await startTiny({ ...run, session: { onStep, onEvent: (line) => void events.push(line) } })
  const { model, median, most } = pinnedIn(run.directory)
  t.equal(model, 'writer')
  t.ok(median > 0.5 && median <= most && most < 1.6, `${median} to ${most}`)
  const line = `tokens of writer: ${median} for each estimated token, at most ${most} in 99 of 100 chunks (${counted(server)} chunks counted by its server)`
  t.strictSame(
    events.filter((each) => each.startsWith('tokens of')),
    [line],
  )
  t.ok(counted(server) >= 20, `${counted(server)} chunks`)
  await cut
  started.abort(new AbortedError('stopped'))
  await t.rejects(started.done, { code: 'KUN_ABORTED' })

  const without = await serverFor(t, { missing: ['tokenize'] })
  await runTiny({ ...run, endpoint: without.url })
  const whole = await serverFor(t)
  await runTiny({ ...run, directory: join(root, 'whole'), endpoint: whole.url })
  t.strictSame(bytesOf(run.directory), bytesOf(join(root, 'whole')), 'the same bytes as in one go')
  t.strictSame(pinnedIn(join(root, 'whole')), { model, median, most })

  const set = [...fitted, `replies.from=["${run.directory}"]`]
  await runTiny({ ...run, directory: join(root, 'again'), endpoint: without.url, set })
  t.strictSame(bytesOf(join(root, 'again')), bytesOf(run.directory), 'from its replies, without /tokenize')

  let [full, over] = [0, 0]
  for (const name of readdirSync(join(root, 'whole/data'))) {
    const part = await openPart(join(root, 'whole/data', name))
    for await (const { raw } of rowsOf(part)) {
      full++
      if (encode(raw as string).length > tokensMax) over++
    }
    await part.close()
  }
  t.ok(full > 50 && over <= full / 100, `${over} of ${full} chunks are over the limit`)
})

t.test('without /tokenize the run does not start, and nothing is written', async (t) => {
  const server = await serverFor(t, { missing: ['tokenize'] })
  const directory = join(t.testdir(), 'run')
  await t.rejects(startTiny({ directory, endpoint: server.url, small: true, set: fitted }), {
    code: 'KUN_ENDPOINT',
    message: /^prepare\.chunk\.tokensOf is server, but no server of writer has \/tokenize/,
  })
  t.notOk(existsSync(directory))
})
