/** The models of a new recipe: those of a given address, or those found on this machine. */

import { UsageError } from '../../errors.js'
import { listText } from '../../language/list-text.js'
import { say } from '../../language/say.js'
import { resolveSecret } from '../../recipe/secrets.js'
import { askModel, askServer } from './ask.js'
import { type FoundModel, findModels, localEndpoints, lookAt } from './find-servers.js'

/** Models for the stages; null: the built-in server. */
interface ChosenModels {
  readonly writer: FoundModel | null
  /** Null: the writer grades and polishes, too. */
  readonly judge: FoundModel | null
}

interface ServerFlags {
  readonly server?: string
  readonly model?: string
  readonly apiKey?: string
}

/** A hosted service answers later than a server on this machine, ms. */
const givenServerMs = 5000

/** The published label model writes instructions and nothing else. */
const labelModel = /Kun-LabelModel/i

/** @param note receives lines for the user */
export async function chooseModels(
  { server, model, apiKey }: ServerFlags,
  interactive: boolean,
  note: (line: string) => void,
): Promise<ChosenModels> {
  const key = apiKey === undefined ? undefined : resolveSecret(apiKey, '--api-key')
  if (server === 'builtin') return { writer: null, judge: null }
  if (server !== undefined) return one(await givenModel(server, model, key, interactive, note))
  const found = (await findModels(localEndpoints(), key)).filter((each) => model === undefined || each.model === model)
  if (!interactive) return ofFound(found, note)
  const choice = await askServer(found)
  if (choice === 'builtin') return { writer: null, judge: null }
  if (typeof choice === 'string') return one(await givenModel(choice, model, key, true, note))
  const judge = labelModel.test(choice.model) ? found.find((each) => !labelModel.test(each.model)) : undefined
  return { writer: choice, judge: judge ?? null }
}

function one(writer: FoundModel): ChosenModels {
  return { writer, judge: null }
}

/** The published label model writes, if it is served beside another one; else the first model does everything. */
function ofFound(found: readonly FoundModel[], note: (line: string) => void): ChosenModels {
  const label = found.find(({ model }) => labelModel.test(model))
  const chat = found.find(({ model }) => !labelModel.test(model))
  if (found.length > 1) {
    const others = found
      .filter((each) => each !== label && each !== chat)
      .map(({ model, endpoint }) => `${model} (${endpoint})`)
    if (others.length > 0) note(say`Other models were found: ${listText(others)}. Choose one with --server and --model`)
  }
  if (label !== undefined && chat !== undefined) return { writer: label, judge: chat }
  return { writer: chat ?? label ?? null, judge: null }
}

async function givenModel(
  address: string,
  model: string | undefined,
  key: string | undefined,
  interactive: boolean,
  note: (line: string) => void,
): Promise<FoundModel> {
  if (!/^https?:$/.test(URL.canParse(address) ? new URL(address).protocol : '')) {
    throw new UsageError(say`--server is ${address}: write an address such as http://localhost:8000/v1, or builtin`)
  }
  const endpoint = await withVersion(address.replace(/\/+$/, ''), key, note)
  const models = await findModels([endpoint], key)
  const chosen = model ?? (models.length === 1 || !interactive ? models[0]?.model : await askModel(models, endpoint))
  if (chosen === undefined) {
    throw new UsageError(say`${endpoint} does not list its models: start it, or name the model with --model`)
  }
  const listed = models.find((each) => each.model === chosen)
  if (listed === undefined && models.length > 0) {
    const names = models.map((each) => each.model).join(', ')
    throw new UsageError(say`--model is ${chosen}: ${endpoint} serves ${names}`)
  }
  if (listed === undefined) note(say`${endpoint} does not respond now: the recipe is written without a check`)
  return listed ?? { endpoint, server: 'unknown', model: chosen, contextTokensMax: null }
}

/** Adds /v1 if the address has none and only works with it. */
async function withVersion(address: string, key: string | undefined, note: (line: string) => void): Promise<string> {
  const { status, models } = await lookAt(address, key, givenServerMs)
  if (models.length > 0 || status === null || /\/v\d+$/.test(address)) return address
  const other = `${address}/v1`
  if ((await lookAt(other, key, givenServerMs)).models.length === 0) return address
  note(say`${address} is the address without /v1: the recipe has ${other}`)
  return other
}
