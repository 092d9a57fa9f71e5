/**
 * The command line on a file layer that fails: `node program.js ERRNO N lasting|once|stray ARGUMENTS…`. The Nth
 * operation fails with ERRNO; 'stray' has it pass, and rejects a promise that nobody waits for.
 */
import { main } from '../../lib/cli/main.js'
import { type FileLayer, nodeFiles } from '../../lib/storage/files.js'
import { FailingFiles } from '../support/failing-files.js'

const [errno, at, how, ...argv] = process.argv.slice(2) as [string, string, string, ...string[]]
const real: FileLayer = { ...nodeFiles }
const failing = new FailingFiles(how === 'stray' ? 0 : Number(at), errno, how === 'lasting', real)
let strays = false
const names = [
  'open',
  'rename',
  'link',
  'linkCount',
  'remove',
  'makeDirectory',
  'list',
  'sizeBytes',
  'fsyncDirectory',
] as const
for (const name of names) {
  const operation = failing[name].bind(failing) as (...given: unknown[]) => unknown
  const strayed = (...given: unknown[]): unknown => {
    if (how === 'stray' && !strays && failing.operations >= Number(at)) {
      strays = true
      void Promise.reject(new Error('gone astray'))
    }
    return operation(...given)
  }
  Object.assign(nodeFiles, { [name]: strayed })
}
process.exitCode = await main(['node', 'kun-stream', ...argv])
