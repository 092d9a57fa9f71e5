/**
 * `kun-stream simulate`: the simulator as a process of its own. Prints its URL on stdout and serves until it is told
 * to stop.
 */
import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { z } from 'zod'
import { UsageError } from '../../errors.js'
import { allowedAt } from '../../recipe/index.js'
import { type FaultRuleOptions, faultKinds } from '../../simulator/vllm/fault-rules.js'
import { capabilityNames, type LatencyOptions, presetNames, simulatorOptions } from '../../simulator/vllm/options.js'
import { startSimulator } from '../../simulator/vllm/server.js'
import { jsonFault } from '../../text/json-fault.js'
import { cannotOpen, writeErr, writeOut } from '../terminal/output.js'
import { stopSignal } from '../terminal/stop-signals.js'

interface SimulateFlags {
  readonly port: string
  readonly host: string
  readonly preset: string
  readonly speed: string
  readonly seed: string
  readonly model: readonly string[]
  readonly latency?: string
  readonly lengths?: string
  readonly queueMax?: string
  readonly contextTokensMax?: string
  readonly reasoning: string
  readonly nonce?: boolean
  readonly requestLog?: string
  readonly missing?: string
  readonly faults?: string
}

export function registerSimulate(program: Command): void {
  program
    .command('simulate')
    .description('serve as a vLLM server would, without a GPU: built-in extractive writer, simulated timing, faults')
    .option('--port <n>', 'port to listen on; 0 takes a free one', '8000')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--preset <name>', `how time passes: ${presetNames.join(', ')}`, 'instant')
    .option('--speed <factor>', 'simulated seconds a second, for the GPU presets', '1')
    .option('--seed <n>', 'of latencies, lengths and fault rates', '0')
    .option('--model <name>', 'a model name to serve, others get 404; repeatable (default: every name)', collect, [])
    .option('--latency <ms>', "for --preset delay: 20, 5..50, or mean,sigma[,max] of a log-normal ('200,1')")
    .option('--lengths <mean,sigma,max>', 'reply lengths in tokens, log-normal, whatever the prompt says')
    .option('--queue-max <n>', 'requests waiting before 503; unbounded by default, as vLLM')
    .option('--context-tokens-max <n>', 'context length in tokens')
    .option('--reasoning <how>', 'thinking in chat replies: none, think, reasoning-content', 'none')
    .option('--nonce', 'put eight new letters into every reply')
    .option('--request-log <file>', 'append a JSON line a request')
    .option('--missing <list>', `what it cannot do: ${capabilityNames.join(',')}`)
    .option('--faults <rules>', 'kind[=rate][@after[-until]], comma-separated; or a JSON array; or @FILE with one')
    .addHelpText('after', `\nFaults: ${faultKinds.join(', ')}\nExample: --faults engine-error=0.01,english@5000`)
    .action(async (flags: SimulateFlags) => {
      const options = optionsOf(flags)
      if (options.requestLog !== undefined) checkWritable(options.requestLog)
      const simulator = await startSimulator(options)
      writeOut(`${simulator.url}\n`)
      writeErr(`simulate: preset ${options.preset}, serving until Ctrl-C\n`)
      await stopSignal()
      await simulator.close()
    })
}

/** @throws {UsageError} naming the flag, the value found and what is allowed */
function optionsOf(flags: SimulateFlags): z.output<typeof simulatorOptions> {
  const given = {
    port: number(flags.port),
    host: flags.host,
    preset: flags.preset,
    speed: number(flags.speed),
    seed: number(flags.seed),
    models: flags.model,
    latencyMs: flags.latency === undefined ? undefined : latencyOf(flags.latency),
    lengths: flags.lengths === undefined ? undefined : lengthsOf(flags.lengths),
    queueMax: flags.queueMax === undefined ? undefined : number(flags.queueMax),
    contextTokensMax: flags.contextTokensMax === undefined ? undefined : number(flags.contextTokensMax),
    reasoning: flags.reasoning,
    nonce: flags.nonce ?? false,
    requestLog: flags.requestLog,
    missing: flags.missing?.split(','),
    faults: flags.faults === undefined ? undefined : faultsOf(flags.faults),
  }
  const checked = simulatorOptions.safeParse(given)
  if (checked.success) return checked.data
  const lines = checked.error.issues.map(({ path, message }) => wrongFlag(flags, given, path, message))
  throw new UsageError([...new Set(lines)].join('\n'), { cause: checked.error })
}

/** Options that are called otherwise in the schema. */
const flagOf: Readonly<Record<string, keyof SimulateFlags>> = { models: 'model', latencyMs: 'latency' }
/** What the flag takes, where that is written otherwise than the option's value. */
const formOf: Readonly<Record<string, string>> = {
  latencyMs: 'milliseconds: 20, or 5..50, or mean,sigma[,max] such as 200,1',
  lengths: 'mean,sigma[,max] in tokens, such as 200,1,1024',
}

/** Examples: '--port is abc: give a whole number from 0 to 65535'; of a list '--missing has all: give one of metrics, …' */
function wrongFlag(flags: SimulateFlags, given: unknown, path: readonly PropertyKey[], message: string): string {
  const option = String(path[0])
  const name = flagOf[option] ?? (option as keyof SimulateFlags)
  const dashed = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const form = formOf[option] ?? allowedAt(simulatorOptions, path) ?? message
  if (path.length === 1 || formOf[option] !== undefined) return `--${dashed} is ${String(flags[name])}: give ${form}`
  const found = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], given)
  return `--${dashed} has ${String(found)}: give ${form}`
}

/** 'engine-error=0.01,english@5000-6000' → rules; a JSON array, or @FILE that holds one, as it is. */
export function faultsOf(text: string): FaultRuleOptions[] {
  const source = text.startsWith('@') ? fileText(text.slice(1)) : text
  if (source.trimStart().startsWith('[')) {
    try {
      return JSON.parse(source) as FaultRuleOptions[]
    } catch (cause) {
      const words = jsonFault(source)?.what ?? 'it cannot be read'
      throw new UsageError(`--faults is no JSON: ${words}. Give a list of rules: [{"kind":"hang"}]`, { cause })
    }
  }
  return source.split(',').map((rule) => {
    const parts = /^\s*([a-z-]+)(?:=([\d.]+))?(?:@(\d+)(?:-(\d+))?)?\s*$/.exec(rule)
    if (parts === null)
      throw new UsageError(`--faults: found '${rule}', give kind[=rate][@after[-until]], such as empty=0.01@500`)
    const [, kind, rate, after, until] = parts
    return {
      kind: kind as FaultRuleOptions['kind'],
      ...(rate === undefined ? {} : { rate: Number(rate) }),
      ...(after === undefined ? {} : { after: Number(after) }),
      ...(until === undefined ? {} : { until: Number(until) }),
    }
  })
}

function fileText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new UsageError(`--faults: ${cannotOpen(path, cause).message}`, { cause })
  }
}

/** @throws {UsageError} it cannot be opened */
function checkWritable(path: string): void {
  try {
    closeSync(openSync(path, 'a'))
  } catch (cause) {
    throw cannotOpen(path, cause)
  }
}

/** @throws {UsageError} it is no port */
export function portOf(text: string): number {
  const checked = simulatorOptions.shape.port.safeParse(number(text))
  if (checked.success) return checked.data
  const form = allowedAt(simulatorOptions, ['port']) ?? checked.error.message
  throw new UsageError(`--port is ${text}: give ${form}`, { cause: checked.error })
}

function latencyOf(text: string): LatencyOptions {
  const [min, max] = text.split('..')
  if (max !== undefined) return { min: number(min as string), max: number(max) }
  const [mean, sigma, most] = text.split(',').map(number)
  if (sigma === undefined) return mean as number
  return { mean: mean as number, sigma, ...(most === undefined ? {} : { max: most }) }
}

function lengthsOf(text: string) {
  const [mean, sigma, max] = text.split(',').map(number)
  return { mean, sigma, max }
}

/** NaN for what is no number: the schema then says which option it was. */
function number(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text)
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value]
}
