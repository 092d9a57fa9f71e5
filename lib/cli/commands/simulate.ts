/** `kun-stream simulate`: the simulator as a process. Prints its URL on stdout and serves until a stop signal. */
import { closeSync, openSync, readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import type { z } from 'zod'
import { UsageError } from '../../errors.js'
import { say, translated } from '../../language/say.js'
import { translatedAllowed } from '../../recipe/allowed-words.js'
import { allowedAt } from '../../recipe/index.js'
import { type FaultRuleOptions, faultKinds } from '../../simulator/vllm/fault-rules.js'
import { type LatencyOptions, simulatorOptions } from '../../simulator/vllm/options.js'
import { startSimulator } from '../../simulator/vllm/server.js'
import { jsonFault } from '../../text/json-fault.js'
import { addCommand } from '../command-summaries.js'
import { helpOf } from '../option-help.js'
import { collect } from '../recipe-options.js'
import { cannotOpen, writeErr, writeOut } from '../terminal/output.js'
import { stopSignal } from '../terminal/stop-signals.js'

/** Joins words by commas, in lines that a terminal of 80 columns shows whole. */
function wrapWords(words: readonly string[]): string {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && `${last}, ${word},`.length < 80) lines[lines.length - 1] = `${last}, ${word}`
    else lines.push(`  ${word}`)
  }
  return lines.join(',\n')
}

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
  readonly s3?: string
}

export function registerSimulate(program: Command): void {
  const options = simulatorOptions.shape
  addCommand(program, 'simulate')
    .option('--port <n>', helpOf(options.port), '8000')
    .option('--host <address>', helpOf(options.host), '127.0.0.1')
    .option('--preset <name>', helpOf(options.preset), 'instant')
    .option('--speed <factor>', helpOf(options.speed), '1')
    .option('--seed <n>', helpOf(options.seed), '0')
    .addOption(
      new Option('--model <name>', `${helpOf(options.models)} (repeatable)`)
        .argParser(collect)
        .default([], 'every name'),
    )
    .option('--latency <ms>', `${helpOf(options.latencyMs)}: 20, 5..50, or mean,sigma[,max] of a log-normal`)
    .option('--lengths <mean,sigma,max>', helpOf(options.lengths))
    .option('--queue-max <n>', helpOf(options.queueMax))
    .option('--context-tokens-max <n>', helpOf(options.contextTokensMax))
    .option('--reasoning <how>', helpOf(options.reasoning), 'none')
    .option('--nonce', helpOf(options.nonce))
    .option('--request-log <file>', helpOf(options.requestLog))
    .option('--missing <list>', helpOf(options.missing))
    .option('--faults <rules>', 'kind[=rate][@after[-until]], comma-separated; or a JSON array; or @FILE with one')
    .option('--s3 <folder>', 'serve a stand-in S3 store instead, whose bytes are in a folder')
    .addHelpText('after', say`\nFaults:\n${wrapWords(faultKinds)}\nExample: --faults engine-error=0.01,english@5000`)
    .action(async (flags: SimulateFlags) => {
      if (flags.s3 !== undefined) return serveS3(flags.s3, flags)
      const options = optionsOf(flags)
      if (options.requestLog !== undefined) checkWritable(options.requestLog)
      const simulator = await startSimulator(options)
      writeOut(`${simulator.url}\n`)
      writeErr(say`simulate: preset ${options.preset}, serving until Ctrl-C\n`)
      await stopSignal()
      await simulator.close()
    })
}

/** Serves the stand-in S3, which forgets its objects when it ends. */
async function serveS3(directory: string, { port, host }: SimulateFlags): Promise<void> {
  const { startS3 } = await import('../../simulator/s3/index.js')
  const server = await startS3({ directory, host, port: portOf(port) }).catch((error: NodeJS.ErrnoException) => {
    throw error.syscall === undefined ? error : cannotOpen(error.path ?? directory, error)
  })
  writeOut(`${server.url}\n`)
  const variables = Object.entries(server.environment).map(([name, value]) => `${name}=${value}`)
  writeErr(
    say`The stand-in S3 listens on ${server.url}, with the bucket s3://kun. For its clients:\n` +
      `  export ${variables.join(' ')}\n` +
      say`POST ${server.url}/admin/faults makes it fail; Ctrl-C ends it.\n`,
  )
  await stopSignal()
  await server.close()
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

/** Options whose flag has another name. */
const flagOf: Readonly<Record<string, keyof SimulateFlags>> = { models: 'model', latencyMs: 'latency' }
/** Syntax of flags whose text differs from the value of their option, for messages. */
const formOf: Readonly<Record<string, string>> = {
  latencyMs: 'milliseconds: 20, or 5..50, or mean,sigma[,max] such as 200,1',
  lengths: 'mean,sigma[,max] in tokens, such as 200,1,1024',
}

function ownForm(option: string): string | undefined {
  const form = formOf[option]
  return form === undefined ? undefined : translated(form)
}

function allowedForm(path: readonly PropertyKey[]): string | null {
  const form = allowedAt(simulatorOptions, path)
  return form === null ? null : translatedAllowed(form)
}

/** Examples: '--port is abc: give a whole number from 0 to 65535'; of a list '--missing has all: give one of metrics, …' */
function wrongFlag(flags: SimulateFlags, given: unknown, path: readonly PropertyKey[], message: string): string {
  const option = String(path[0])
  const name = flagOf[option] ?? (option as keyof SimulateFlags)
  const dashed = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const form = ownForm(option) ?? allowedForm(path) ?? message
  if (path.length === 1 || formOf[option] !== undefined) return say`--${dashed} is ${String(flags[name])}: give ${form}`
  const found = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], given)
  return say`--${dashed} has ${String(found)}: give ${form}`
}

/** Parses fault rules: 'engine-error=0.01,english@5000-6000', a JSON array of rules, or @FILE with either. */
export function faultsOf(text: string): FaultRuleOptions[] {
  const source = text.startsWith('@') ? fileText(text.slice(1)) : text
  if (source.trimStart().startsWith('[')) {
    try {
      return JSON.parse(source) as FaultRuleOptions[]
    } catch (cause) {
      const words = jsonFault(source)?.what ?? 'it cannot be parsed'
      throw new UsageError(say`--faults is not valid JSON: ${words}. Give a list of rules: [{"kind":"hang"}]`, {
        cause,
      })
    }
  }
  return source.split(',').map((rule) => {
    const parts = /^\s*([a-z-]+)(?:=([\d.]+))?(?:@(\d+)(?:-(\d+))?)?\s*$/.exec(rule)
    if (parts === null)
      throw new UsageError(say`--faults: found '${rule}', give kind[=rate][@after[-until]], such as empty=0.01@500`)
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

/** @throws {UsageError} it is not a port */
export function portOf(text: string): number {
  const checked = simulatorOptions.shape.port.safeParse(number(text))
  if (checked.success) return checked.data
  const form = allowedForm(['port']) ?? checked.error.message
  throw new UsageError(say`--port is ${text}: give ${form}`, { cause: checked.error })
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

/** Returns NaN for a text that is not a number; the schema then names the option. */
function number(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text)
}
