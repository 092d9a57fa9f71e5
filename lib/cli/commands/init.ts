/**
 * `kun-stream init`: writes a recipe that runs. Finds a model server, reads the first records of the source and proposes
 * the fields; asks in a terminal, and takes flags for every answer.
 */
import type { Command } from 'commander'
import { say } from '../../language/say.js'
import { addCommand } from '../command-summaries.js'
import { hubUrlOption, tokenOption } from '../hub-options.js'
import type { InitFlags } from '../init/write-recipe.js'

export function registerInit(program: Command): void {
  addCommand(program, 'init')
    .argument('[files...]', say`files, folders or globs; with --hub globs in the repository`)
    .option('--hub <owner/name>', say`a dataset on the Hugging Face Hub as the source`)
    .option('--preset <name>', say`field names of a known corpus: wudao, wanjuan, skypile`)
    .option('--text <field>', say`field of the text; by default the longest Chinese one`)
    .option('--id <field>', say`field of the id`)
    .option('--title <field>', say`field of the title`)
    .option('--server <url>', say`model server with /v1, or builtin; by default one on this machine`)
    .option('--model <name>', say`model of the server; by default the first one it serves`)
    .option('--api-key <env:NAME>', say`environment variable with the key of the server`)
    .option('--name <name>', say`name of the run; by default that of the source`)
    .option('--out <dir>', say`folder of the dataset; by default out/NAME`)
    .option('--write <file>', say`path of the recipe; - writes it to stdout (default: recipe.yaml)`)
    .option('--demo', say`copy the demonstration: a made-up corpus and its recipe`)
    .option('--force', say`overwrite files that exist`)
    .option('--yes', say`ask nothing: take what is proposed`)
    .addOption(hubUrlOption())
    .addOption(tokenOption())
    .action(async (files: string[], flags: InitFlags) => {
      const { init } = await import('../init/write-recipe.js')
      await init(files, flags)
    })
}
