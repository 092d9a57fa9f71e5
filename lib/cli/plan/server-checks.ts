/** Checks of the model servers of a recipe: reachable, the right address, the model served, a context that is long enough. */

import { EndpointError } from '../../errors.js'
import { count } from '../../language/count.js'
import { listText } from '../../language/list-text.js'
import { say } from '../../language/say.js'
import { readEndpointList } from '../../llm/endpoint/endpoint-list.js'
import { endpointLabel, httpClient, requestHeaders } from '../../llm/protocol/client.js'
import { isSameModel } from '../../llm/protocol/model-names.js'
import { type ServedModels, servedModels } from '../../llm/protocol/served-models.js'
import type { Recipe, RecipeModel } from '../../recipe/index.js'
import { nearest } from '../../recipe/nearest.js'
import { resolveModel } from '../../recipe/secrets.js'
import type { Check } from './check.js'
import { type StageBudget, stageBudgets } from './context-budget.js'

/** Time for one address, ms. */
const lookMs = 5000

/** Names that a message lists. */
const namesMax = 5

/** Returns the checks of every endpoint, in the order of the recipe. */
export async function serverChecks(recipe: Recipe): Promise<Check[]> {
  const budgets = stageBudgets(recipe)
  const checks = await Promise.all(
    Object.entries(recipe.models).flatMap(([name, given]) => {
      const model = resolveModel(name, given)
      const used = budgets.filter((budget) => budget.model === name)
      if ('file' in model.endpoints) return [fileChecks(name, model, model.endpoints.file, used)]
      return model.endpoints.map((endpoint) => endpointChecks(name, model, endpoint, used))
    }),
  )
  return checks.flat()
}

/** Checks the servers that the file lists now. */
async function fileChecks(
  name: string,
  model: RecipeModel,
  file: string,
  budgets: readonly StageBudget[],
): Promise<Check[]> {
  try {
    const endpoints = await readEndpointList(file)
    return (await Promise.all(endpoints.map((endpoint) => endpointChecks(name, model, endpoint, budgets)))).flat()
  } catch (error) {
    if (!(error instanceof EndpointError)) throw error
    const subject = `models.${name}.endpoints`
    const line = `${subject}: ${error.message}`
    return [{ check: 'server', level: 'fail', subject, finding: 'no-list', facts: { file }, line }]
  }
}

async function endpointChecks(
  name: string,
  model: RecipeModel,
  endpoint: string,
  budgets: readonly StageBudget[],
): Promise<Check[]> {
  const subject = `models.${name}.endpoints`
  if (endpoint === 'builtin') {
    const line = say`${subject}: the built-in server; its rows are for a demonstration, not for training`
    return [{ check: 'server', level: 'ok', subject, finding: 'builtin', facts: {}, line }]
  }
  const label = endpointLabel(endpoint)
  const headers = requestHeaders(model.headers, model.apiKey)
  const found = await look(endpoint, headers)
  const server = await serverCheck(subject, label, model.model ?? '', found, () =>
    look(`${endpoint.replace(/\/+$/, '')}/v1`, headers),
  )
  const served = found.models.find((each) => isSameModel(model.model ?? '', each.name))
  if (served === undefined) return [server]
  return [server, contextCheck(name, label, served.contextTokensMax, budgets)]
}

async function look(endpoint: string, headers: Record<string, string>): Promise<ServedModels> {
  const client = httpClient(endpoint, 1)
  try {
    return await servedModels(client, headers, lookMs)
  } finally {
    await client.close()
  }
}

async function serverCheck(
  subject: string,
  label: string,
  model: string,
  found: ServedModels,
  beside: () => Promise<ServedModels>,
): Promise<Check> {
  const { status, failure, models, server } = found
  const facts = { endpoint: label, status, model, server }
  const check = (level: Check['level'], finding: string, line: string): Check => ({
    ...{ check: 'server', level, subject, finding, facts, line },
  })
  if (status === null) {
    return check(
      'fail',
      'no-response',
      say`${subject}: ${label} does not respond (${failure}): start the server, or check the address`,
    )
  }
  if (status === 401 || status === 403) {
    return check(
      'fail',
      'no-access',
      say`${subject}: ${label} refuses the key (${status}): set apiKey: env:NAME of this model, and the variable`,
    )
  }
  if (models.length === 0) {
    if (!/\/v\d+$/.test(label) && (await beside()).models.length > 0) {
      return check(
        'fail',
        'without-v1',
        say`${subject}: ${label} is not the address of the API (${status}): write ${label}/v1`,
      )
    }
    if (status === 200)
      return check(
        'warn',
        'no-models',
        say`${subject}: ${label} does not list its models: whether it serves ${model} is not known`,
      )
    return check(
      'fail',
      'not-an-api',
      say`${subject}: ${label}/models gives ${status}: check the address; it usually ends in /v1`,
    )
  }
  const names = models.map(({ name }) => name)
  if (names.some((name) => isSameModel(model, name)))
    return check('ok', 'served', say`${subject}: ${label} serves ${model}`)
  const meant = nearest(model, names) ?? (names.length === 1 ? (names[0] ?? null) : null)
  const shown = listText(names.slice(0, namesMax))
  return check(
    'fail',
    'other-model',
    meant === null
      ? say`${subject}: ${label} does not serve ${model}, but ${shown}: set model of this entry to one of them`
      : say`${subject}: ${label} does not serve ${model}, but ${shown}: set model: ${meant}`,
  )
}

function contextCheck(name: string, label: string, context: number | null, budgets: readonly StageBudget[]): Check {
  const subject = `models.${name}`
  const need = (each: StageBudget) => each.promptTokens + each.recordTokens + each.replyTokens
  const most = budgets.reduce<StageBudget | null>(
    (max, each) => (max === null || need(each) > need(max) ? each : max),
    null,
  )
  const facts = {
    endpoint: label,
    contextTokens: context,
    stage: most?.stage ?? '',
    neededTokens: most === null ? 0 : need(most),
  }
  const check = (level: Check['level'], finding: string, line: string): Check => ({
    ...{ check: 'context', level, subject, finding, facts, line },
  })
  if (most === null) return check('warn', 'unused', say`${subject}: no stage uses this model`)
  const needed = count(need(most), 'token')
  if (context === null) {
    return check(
      'warn',
      'unknown',
      say`${subject}: ${label} does not report its context; ${most.stage} needs up to about ${needed}`,
    )
  }
  if (need(most) <= context) {
    return check(
      'ok',
      'enough',
      say`${subject}: a context of ${count(context, 'token')}, ${most.stage} needs up to about ${needed}`,
    )
  }
  const parts = `${most.promptTokens} + ${most.recordTokens} + ${most.replyTokens}`
  return check(
    'fail',
    'too-short',
    say`${subject}: a context of ${count(context, 'token')}, but ${most.stage} needs up to about ${needed} (prompt, record and reply: ${parts}): serve a longer one, or lower prepare.chunk.tokensMax or kun.${most.stage}.sampling.max_tokens`,
  )
}
