/** Questions of `init` in a terminal. Each has a proposal; the answer is what a flag would have given. */
import { cancel, confirm, isCancel, select, text } from '@clack/prompts'
import { AbortedError } from '../../errors.js'
import { say } from '../../language/say.js'
import type { FieldProposal } from '../../sources/field-proposal.js'
import type { FoundModel } from './find-servers.js'

const output = process.stderr

/** Fields that are offered. */
const fieldsMax = 12

function answered<T>(answer: T): Exclude<T, symbol> {
  if (!isCancel(answer)) return answer as Exclude<T, symbol>
  cancel(say`Nothing was written.`, { output })
  throw new AbortedError(say`init was stopped: nothing was written`)
}

/** Asks for files, or a dataset on the Hub as `hub:owner/name`. */
export async function askSource(here: readonly string[]): Promise<{ hub: string | null; files: string[] }> {
  const given = answered(
    await text({
      message: say`Source: files, a folder or a glob; hub:owner/name for a dataset of the Hugging Face Hub`,
      ...(here.length > 0 && { initialValue: here.join(' ') }),
      placeholder: 'data/*.jsonl',
      validate: (value) => ((value ?? '').trim() === '' ? say`name at least one file` : undefined),
      output,
    }),
  ).trim()
  const hub = /^hub:(\S+)\s*/.exec(given)
  const words = (hub === null ? given : given.slice(hub[0].length)).split(/\s+/).filter((word) => word !== '')
  return { hub: hub?.[1] ?? null, files: words }
}

/** Asks which field is the text. */
export async function askTextField({ texts }: FieldProposal): Promise<string> {
  const options = texts.slice(0, fieldsMax).map(({ name, records, chars }) => ({
    value: name,
    label: name,
    hint: say`${records} records, ${Math.round(chars)} characters on average`,
  }))
  return answered(await select({ message: say`Which field is the text?`, options, output }))
}

/** Asks for the server: one that was found, another address, or the built-in one. */
export async function askServer(found: readonly FoundModel[]): Promise<FoundModel | 'builtin' | string> {
  const options = [
    ...found.map((model, index) => ({
      value: String(index),
      label: `${model.model}`,
      hint: `${model.endpoint} ${model.server === 'unknown' ? '' : model.server}`.trim(),
    })),
    { value: 'other', label: say`Another address` },
    { value: 'builtin', label: say`The built-in server: no GPU, to see how a run works` },
  ]
  const choice = answered(await select({ message: say`Which model writes, grades and polishes?`, options, output }))
  if (choice === 'builtin') return 'builtin'
  if (choice !== 'other') return found[Number(choice)] as FoundModel
  return answered(
    await text({
      message: say`Address of the server, with /v1`,
      placeholder: 'http://localhost:8000/v1',
      validate: (value) => (URL.canParse(value ?? '') ? undefined : say`write an address as http://localhost:8000/v1`),
      output,
    }),
  ).trim()
}

export async function askModel(models: readonly FoundModel[], endpoint: string): Promise<string> {
  if (models.length > 0) {
    const options = models.map(({ model }) => ({ value: model, label: model }))
    return answered(await select({ message: say`Which of its models?`, options, output }))
  }
  return answered(
    await text({
      message: say`${endpoint} does not list its models: name of the model`,
      validate: (value) => ((value ?? '').trim() === '' ? say`name the model` : undefined),
      output,
    }),
  ).trim()
}

export async function askDirectory(proposed: string): Promise<string> {
  return (
    answered(await text({ message: say`Folder of the dataset`, initialValue: proposed, output })).trim() || proposed
  )
}

export async function askOverwrite(file: string): Promise<boolean> {
  return answered(await confirm({ message: say`${file} exists. Overwrite it?`, initialValue: false, output }))
}
