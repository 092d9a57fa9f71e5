/** The steps of `init`: source, fields, server, output, and the file. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import { version } from '../../core/version.js'
import { UsageError } from '../../errors.js'
import { count } from '../../language/count.js'
import { say } from '../../language/say.js'
import { parseRecipe } from '../../recipe/index.js'
import { commandName, shellWord } from '../command-name.js'
import { sayOnStderr, writeOut } from '../terminal/output.js'
import { askDirectory, askOverwrite, askSource, askTextField } from './ask.js'
import { packageFolder, writeDemo } from './demo.js'
import { type Draft, recipeText } from './draft.js'
import { chooseModels } from './servers.js'
import { type FoundSource, fieldsFor, filesHere, lookAtSource } from './sources.js'

export interface InitFlags {
  readonly hub?: string
  readonly preset?: string
  readonly text?: string
  readonly id?: string
  readonly title?: string
  readonly server?: string
  readonly model?: string
  readonly apiKey?: string
  readonly name?: string
  readonly out?: string
  readonly write?: string
  readonly demo?: boolean
  readonly force?: boolean
  readonly yes?: boolean
  readonly hubUrl?: string
  readonly token?: string
}

/** Writes a recipe. @throws {UsageError} a flag does not fit, or the file exists */
export async function init(files: readonly string[], flags: InitFlags): Promise<void> {
  const { demo = false, force = false, yes = false } = flags
  if (demo) return initDemo(files, flags.write ?? 'demo.yaml', force)
  const file = flags.write ?? 'recipe.yaml'
  const interactive = !yes && process.stdin.isTTY === true && process.stdout.isTTY === true
  if (file !== '-' && !force && existsSync(file) && !(interactive && (await askOverwrite(file)))) {
    throw new UsageError(say`${file} exists: write another file with --write, or overwrite it with --force`)
  }
  const source = await sourceFor(files, flags, interactive)
  const fields = fieldsFor(source, { ...flags, ...(await askedField(source, flags, interactive)) })
  const note = (line: string) => sayOnStderr(line)
  const models = await chooseModels(flags, interactive, note)
  const name = nameFor(flags.name, source)
  const directory = flags.out ?? (interactive ? await askDirectory(`out/${name}`) : `out/${name}`)
  const draft: Draft = {
    ...{ name, fields, directory, file: shellWord(file), ...models },
    ...{ hub: source.hub, files: source.files, apiKey: flags.apiKey ?? null, schema: schemaFor(file) },
  }
  const text = recipeText(draft, commandName().startsWith('node ') ? 'kun-stream' : commandName())
  parseRecipe(text, file)
  if (file === '-') writeOut(text)
  else {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  sayOnStderr(summary(draft, source, file))
}

async function initDemo(files: readonly string[], file: string, force: boolean): Promise<void> {
  if (files.length > 0) throw new UsageError(say`--demo has a corpus of its own: leave out ${files.join(' ')}`)
  await writeDemo(file, schemaFor(file), force)
  const run = `${commandName()} run ${shellWord(file)}`
  sayOnStderr(say`${file} and demo-data are written. Run it: ${run}`)
}

async function sourceFor(files: readonly string[], flags: InitFlags, interactive: boolean): Promise<FoundSource> {
  const connection = { token: flags.token, hubUrl: flags.hubUrl }
  if (flags.hub !== undefined || files.length > 0) return lookAtSource(flags.hub ?? null, files, connection)
  const here = await filesHere()
  if (interactive) {
    const asked = await askSource(here)
    return lookAtSource(asked.hub, asked.files, connection)
  }
  if (here.length > 0) return lookAtSource(null, here, connection)
  throw new UsageError(
    say`no data file is in this folder: name files (init data/*.jsonl), a dataset with --hub owner/name, or try --demo`,
  )
}

async function askedField({ proposal, preset }: FoundSource, flags: InitFlags, interactive: boolean) {
  const given = flags.text !== undefined || flags.preset !== undefined || preset !== null
  return interactive && !given && proposal.texts.length > 1 ? { text: await askTextField(proposal) } : {}
}

/** Returns the name of the dataset, of the only file, or of the folder, with letters that a name may have. */
function nameFor(given: string | undefined, { hub, files }: FoundSource): string {
  if (given !== undefined) return given
  const [first = ''] = files
  const ofFile =
    files.length === 1 && !/[*?[{]/.test(first) ? basename(first).replace(/\..*$/, '') : basename(dirname(first))
  const name = (hub?.split('/')[1] ?? ofFile).replace(/[^\w.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '')
  return name === '' ? 'my-dataset' : name
}

/** Returns the path of the packaged schema if the package is beside the recipe, else its public address. */
function schemaFor(file: string): string {
  const schema = join(packageFolder(), 'recipes/recipe.schema.json')
  const path = relative(dirname(file), schema)
  const isNear = !path.startsWith('..') && !/\s/.test(path)
  return isNear ? path : `https://unpkg.com/kun-stream@${version}/recipes/recipe.schema.json`
}

function summary({ fields, writer, judge, directory }: Draft, { shards }: FoundSource, file: string): string {
  const { preset, text } = fields
  const field = preset === null ? say`text from ${text ?? ''}` : say`preset ${preset}`
  const models =
    writer === null
      ? say`the built-in server (for a demonstration)`
      : [writer, judge].flatMap((each) => (each === null ? [] : [`${each.model} (${each.endpoint})`])).join(', ')
  const command = commandName()
  return [
    say`${file}: ${count(shards, 'file')}, ${field}; ${models}; rows go to ${directory}`,
    ...(file === '-'
      ? []
      : [say`Next: ${command} plan ${shellWord(file)}\n      ${command} run ${shellWord(file)} --sample 20`]),
  ].join('\n')
}
