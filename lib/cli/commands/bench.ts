/** `kun-stream bench [NAME…]`: runs benchmarks of this machine; `bench server URL` measures a model server. */

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { UsageError } from '../../errors.js'
import { listText } from '../../language/list-text.js'
import { say } from '../../language/say.js'
import type { BenchServerFlags } from '../bench-server/run.js'
import { commandName } from '../command-name.js'
import { addCommand } from '../command-summaries.js'
import { wholeNumber } from '../option-numbers.js'
import { writeOut } from '../terminal/output.js'

/** Loaded at run time, because lib must not import from bench. */
const main = new URL('../../../bench/main.js', import.meta.url)

interface BenchFlags {
  readonly smoke?: boolean
  readonly json?: boolean
  readonly labelled?: string[]
  readonly compare?: string
}

interface BenchModule {
  readonly benchNames: readonly string[]
  runBenches(names: readonly string[], flags: BenchFlags): Promise<number>
}

export function registerBench(program: Command): void {
  const bench = addCommand(program, 'bench')
    .argument('[names...]')
    .option('--smoke', 'small sizes, to check that the benches run')
    .option('--json', 'print the results as JSON')
    .option('--compare <file>', 'show the change of each figure against an earlier result of --json')
    .option(
      '--labelled <path>',
      "file or folder of labelled examples, for the bench 'filters'; repeatable",
      collect,
      [],
    )
    .action(async (names: string[], { smoke = false, json = false, labelled = [], compare }: BenchFlags) => {
      if (!existsSync(fileURLToPath(main))) {
        throw new UsageError(say`the benches are not in this package: reinstall it`)
      }
      if (compare !== undefined && !existsSync(compare))
        throw new UsageError(say`--compare: there is no file ${compare}`)
      const { benchNames, runBenches }: BenchModule = await import(main.href)
      const unknown = names.find((name) => !benchNames.includes(name))
      if (unknown !== undefined)
        throw new UsageError(say`unknown bench ${unknown}: give some of ${listText(benchNames)}`)
      if (names.length === 0) {
        const line = say`benches: ${listText(benchNames)}; measure a model server with: ${commandName()} bench server URL`
        writeOut(`${line}\n`)
        return
      }
      process.exitCode = await runBenches(names, { smoke, json, labelled, ...(compare !== undefined && { compare }) })
    })
  registerServer(bench)
}

function registerServer(bench: Command): void {
  bench
    .command('server')
    .description('measure a model server: rates over concurrency, its knee, and the limiter of kun-stream against it')
    .argument('<url>', 'address of the server, with /v1')
    .option('--model <name>', 'model to request; needed if the server has several')
    .option('--api-key <key>', 'key of the server, better as env:NAME')
    .option('--workloads <list>', 'kinds of requests: label, score, polish', 'label,score,polish')
    .option('--concurrency-max <n>', 'most requests in flight', wholeNumber(1), 512)
    .option('--seconds <n>', 'measured time of a level', wholeNumber(1), 6)
    .option('--requests-max <n>', 'requests in all', wholeNumber(1), 50_000)
    .option('--repeats <n>', 'measurements of each level; two or more give the noise', wholeNumber(1), 2)
    .option('--no-limiter', 'do not run the limiter of kun-stream')
    .option('--html <file>', 'where to write the picture', 'bench-server.html')
    .option('--no-html', 'do not write a picture')
    .option('--json', 'print one JSON object')
    .option('--compare <file>', 'an earlier result of --json; differences beyond the noise are marked')
    .action(async (url: string, _: unknown, command: Command) => {
      const { benchServer } = await import('../bench-server/run.js')
      // `bench` itself has --json, too.
      await benchServer(url, command.optsWithGlobals<BenchServerFlags>())
    })
}

function collect(value: string, values: readonly string[]): string[] {
  return [...values, value]
}
