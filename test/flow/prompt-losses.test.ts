/** Runs that measure perplexity and instruction-following difficulty, and servers that cannot. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { AbortedError } from '../../lib/errors.js'
import { type SimulatorOptions, startSimulator } from '../../lib/simulator/vllm/index.js'
import { bytesOf, runTiny, startTiny } from '../support/session.js'

const measured = ['kun.perplexity={model: judge}', 'kun.ifd={model: writer}']

async function serverFor(t: Test, options: Partial<SimulatorOptions> = {}) {
  const server = await startSimulator(options)
  t.teardown(() => server.close())
  return server
}

/** Keys of the requests for the log-probabilities of a prompt, without those of probes. */
function measuringKeys(server: Awaited<ReturnType<typeof serverFor>>): string[] {
  return server
    .requests()
    .flatMap(({ key, body }) => (key !== null && /"echo":true|"prompt_logprobs"/.test(body) ? [key] : []))
}

t.test(
  'a server without the log-probabilities of a prompt is refused at the start, and nothing is written',
  async (t) => {
    const server = await serverFor(t, { missing: ['echo', 'prompt-logprobs'] })
    const directory = join(t.testdir(), 'run')
    for (const [set, field] of [
      [measured.slice(0, 1), 'kun.perplexity'],
      [measured.slice(1), 'kun.ifd'],
    ] as const) {
      const started = startTiny({ directory, endpoint: server.url, small: true, set })
      await t.rejects(started, {
        code: 'KUN_ENDPOINT',
        message: new RegExp(`^${field.replace('.', '\\.')} needs the log-probabilities of a prompt .*vllm 0\\.12`),
      })
    }
    t.notOk(existsSync(directory))
  },
)

t.test(
  'a stopped run resumes with the measures that it has: no prompt is sent twice, and the bytes are the same',
  async (t) => {
    const root = t.testdir()
    const server = await serverFor(t, { preset: 'delay', latencyMs: { min: 0, max: 20 } })
    // Streams do not have what is read, so these requests are not streamed.
    const set = [...measured, 'models.writer.stream=true', 'models.judge.stream=true']
    const run = { directory: join(root, 'stopped'), endpoint: server.url, small: true, set }
    const started = await startTiny(run)
    // Not at a cut: by the first one, every request may have been sent.
    while (measuringKeys(server).length < 20) await setImmediate()
    await started.stop(new AbortedError('stopped'))
    await t.rejects(started.done, { code: 'KUN_ABORTED' })
    const before = measuringKeys(server).length
    await runTiny(run)
    const keys = measuringKeys(server)
    t.ok(before >= 20 && keys.length > before, `${before} of ${keys.length} requests before the stop`)
    t.equal(new Set(keys).size, keys.length, 'no request has the key of another')

    const other = await serverFor(t)
    await runTiny({
      ...run,
      directory: join(root, 'whole'),
      endpoint: other.url,
      set: [...measured, 'models.writer.inFlightMax=1'],
    })
    t.strictSame(bytesOf(join(root, 'stopped')), bytesOf(join(root, 'whole')))

    // The same values in another form of the request: the tokens are ids in place of texts.
    const ids = await serverFor(t, { missing: ['echo'] })
    await runTiny({ ...run, directory: join(root, 'ids'), endpoint: ids.url, set: measured })
    t.strictSame(bytesOf(join(root, 'ids')), bytesOf(join(root, 'whole')), 'from the field prompt_logprobs')
    t.ok(measuringKeys(ids).length > 20)
  },
)
