/** `kun-stream dev-hub DIR`: serves the simulated Hub, for publishing and reading without an account. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { glob } from 'tinyglobby'
import { UsageError } from '../../errors.js'
import { say } from '../../language/say.js'
import { startHub } from '../../simulator/hub/index.js'
import { addCommand } from '../command-summaries.js'
import { cannotOpen, writeErr, writeOut } from '../terminal/output.js'
import { stopSignal } from '../terminal/stop-signals.js'
import { portOf } from './simulate.js'

export function registerDevHub(program: Command): void {
  addCommand(program, 'dev-hub')
    .argument('<dir>', 'folder of its repositories')
    .option('--port <number>', 'port to listen on; 0 takes a free one', '8500')
    .option('--load <owner/name=folder...>', 'first copy the files of a folder to a repository')
    .action(async (directory: string, options: { port: string; load?: string[] }) => {
      const hub = await startHub({ directory, port: portOf(options.port) }).catch((error: NodeJS.ErrnoException) => {
        throw error.syscall === undefined ? error : cannotOpen(error.path ?? directory, error)
      })
      try {
        for (const load of options.load ?? []) await loadFolder(hub, load)
      } catch (error) {
        await hub.close()
        throw error
      }
      writeOut(`${hub.url}\n`)
      writeErr(
        say`The stand-in Hub listens on ${hub.url}. Any token that starts with hf_ may write:\n` +
          `  export HF_ENDPOINT=${hub.url} HF_TOKEN=hf_try\n` +
          `  kun-stream publish out/kun-demo --repo me/kun-demo\n` +
          say`POST ${hub.url}/admin/faults makes it fail; Ctrl-C ends it.\n`,
      )
      await stopSignal()
      await hub.close()
    })
}

async function loadFolder(hub: Awaited<ReturnType<typeof startHub>>, load: string): Promise<void> {
  const match = /^([\w.-]+\/[\w.-]+)=(.+)$/.exec(load)
  if (match === null) throw new UsageError(say`--load is ${load}: write owner/name=folder`)
  const [, id = '', folder = ''] = match
  const paths = (await glob('**/*', { cwd: folder, dot: false })).sort()
  if (paths.length === 0)
    throw new UsageError(say`--load ${load}: the folder ${folder} contains no file: check the path`)
  for (const path of paths) {
    hub.seed(id, { [path]: await readFile(join(folder, path)) })
  }
}
