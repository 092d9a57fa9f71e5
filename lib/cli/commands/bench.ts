/** `kun-stream bench [NAME…]`: the benches of the repository, from the command line. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { UsageError } from '../../errors.js'

/** Beside lib, not in it: the product does not need them. */
const main = new URL('../../../bench/main.js', import.meta.url)

interface BenchModule {
  runBenches(names: readonly string[], flags: { readonly smoke: boolean; readonly json: boolean }): Promise<number>
}

export function registerBench(program: Command): void {
  program
    .command('bench')
    .description('run benches; without a name, list them')
    .argument('[names...]')
    .option('--smoke', 'small sizes: shows that they run, the figures say little')
    .option('--json', 'figures for programs')
    .action(async (names: string[], { smoke = false, json = false }: { smoke?: boolean; json?: boolean }) => {
      if (!existsSync(fileURLToPath(main))) {
        throw new UsageError('the benches are part of the repository, not of the package: clone it and npm run build')
      }
      const { runBenches } = (await import(main.href)) as BenchModule
      process.exitCode = await runBenches(names, { smoke, json })
    })
}
