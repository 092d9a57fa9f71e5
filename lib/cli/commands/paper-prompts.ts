/** `kun-stream paper-prompts`: reads the published prompts from a clone of COIG-Kun, and writes them as prompt files. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { readRefusal } from '../../caught-error.js'
import { UsageError } from '../../errors.js'
import { clonePrompts } from '../../kun/paper/clone-prompts.js'
import { paperPromptsFolder } from '../../kun/preset.js'
import { say, translated } from '../../language/say.js'
import { addCommand } from '../command-summaries.js'
import { sayOnStderr } from '../terminal/output.js'

export function registerPaperPrompts(program: Command): void {
  addCommand(program, 'paper-prompts')
    .argument('<folder>', 'the clone, with evaluation/conversation.py and evaluation/common.py')
    .option('--out <folder>', 'where the files are written', paperPromptsFolder)
    .action(async (folder: string, { out }: { readonly out: string }) => {
      const [conversation, common] = await Promise.all([
        sourceOf(folder, 'conversation.py'),
        sourceOf(folder, 'common.py'),
      ])
      const { prompts, missing } = clonePrompts({ conversation, common })
      if (missing.length > 0) {
        throw new UsageError(say`not found in ${folder}:\n${missing.join('\n')}\nGive an unchanged clone of COIG-Kun`)
      }
      await mkdir(out, { recursive: true })
      for (const [name, prompt] of Object.entries(prompts)) {
        const path = join(out, `${name}.json`)
        await writeFile(path, `${JSON.stringify(prompt, null, 2)}\n`)
        sayOnStderr(say`wrote ${path}`)
      }
    })
}

async function sourceOf(folder: string, name: string): Promise<string> {
  const path = join(folder, 'evaluation', name)
  try {
    return (await readFile(path, 'utf8')).replaceAll('\r\n', '\n')
  } catch (cause) {
    throw new UsageError(
      say`${path} cannot be read: ${translated(readRefusal(cause))}; give the folder of a clone of COIG-Kun`,
      {
        cause,
      },
    )
  }
}
