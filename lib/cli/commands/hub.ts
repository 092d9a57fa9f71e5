/** `kun-stream hub ls REPO [GLOB]`: lists the files that a source on the Hub would read. */

import type { Command } from 'commander'
import { reportWaits } from '../../http/retry-messages.js'
import { listDataset } from '../../hub/listing.js'
import { hubSettings } from '../../hub/settings.js'
import { hubTransport } from '../../hub/transport.js'
import { say } from '../../language/say.js'
import { addCommand } from '../command-summaries.js'
import { hubUrlOption, tokenOption } from '../hub-options.js'
import { bytesText, countText } from '../terminal/bytes-text.js'
import { sayOnStderr, writeErr, writeOut } from '../terminal/output.js'

interface Flags {
  readonly revision: string
  readonly hubUrl?: string
  readonly token?: string
  readonly json?: boolean
}

export function registerHub(program: Command): void {
  const hub = addCommand(program, 'hub')
  hub
    .command('ls')
    .description('list the files that a source would read, with sizes')
    .argument('<owner/name>', 'dataset')
    .argument('[glob...]', 'paths in the dataset', ['**/*'])
    .option('--revision <name>', 'branch, tag or commit', 'main')
    .addOption(hubUrlOption())
    .addOption(tokenOption())
    .option('--json', 'print one JSON object')
    .action(async (repo: string, globs: string[], { revision, json, ...hubFlags }: Flags) => {
      const settings = hubSettings(hubFlags)
      const transport = hubTransport(settings, reportWaits(sayOnStderr))
      try {
        const { commit, files } = await listDataset({ repo, revision, files: globs, settings, transport })
        const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
        if (json) {
          writeOut(`${JSON.stringify({ repo, revision, commit, bytes, files })}\n`)
          return
        }
        for (const { path, sizeBytes } of files) writeOut(`${bytesText(sizeBytes).padStart(8)}  ${path}\n`)
        writeErr(say`${countText(files.length, 'file')}, ${bytesText(bytes)}, at commit ${commit}\n`)
      } finally {
        await transport.close()
      }
    })
}
