/**
 * Check of a run.json that another account wrote. It names files of this machine, so without --trust it may send texts
 * to servers on this machine only.
 */

import { resolve } from 'node:path'
import { UsageError } from '../errors.js'
import { isLoopback } from '../hub/settings.js'
import { listText } from '../language/list-text.js'
import { say } from '../language/say.js'
import { endpointNames } from '../llm/options.js'
import type { Recipe } from '../recipe/index.js'
import { isOwnRun } from './own-run.js'
import { isOverridden } from './recipe-options.js'

interface ForeignRunOptions {
  readonly directory: string
  /** The recipe of run.json, with the overrides of this call. */
  readonly recipe: Recipe
  readonly overrides: readonly string[]
  /** --trust */
  readonly trust: boolean
  /** Receives a line for each file that will be read and each server that will be called. */
  readonly print: (line: string) => void
}

/** @throws {UsageError} another account made the run, and texts would go to another machine */
export async function checkForeignRun({
  directory,
  recipe,
  overrides,
  trust,
  print,
}: ForeignRunOptions): Promise<void> {
  if (await isOwnRun(directory)) return
  print(
    trust
      ? say`${directory}/run.json was not written here by this account`
      : say`${directory}/run.json was not written here by this account. It names:`,
  )
  for (const line of namedIn(recipe, directory)) print(`  ${line}`)
  if (trust) return
  const elsewhere = Object.entries(recipe.models).flatMap(([name, { endpoints }]) => {
    const path = `models.${name}.endpoints`
    const remote =
      'file' in endpoints
        ? [endpoints.file]
        : endpoints.filter((url) => url !== 'builtin' && !isLoopback(new URL(url).hostname))
    return remote.length === 0 || isOverridden(overrides, path) ? [] : [{ path, endpoints }]
  })
  const [first] = elsewhere
  if (first === undefined) return
  throw new UsageError(
    say`${directory} was not written here by this account, and its run.json sends texts to
      ${listText(endpointNames(first.endpoints))}. To allow it, add --trust, or name the servers: --set
      '${first.path}=${JSON.stringify(first.endpoints)}'`,
  )
}

/** Files as resolved paths. */
function namedIn({ sources, models, replies, prepare }: Recipe, directory: string): string[] {
  const { dedup, tokenizer, screen } = prepare
  const files = [
    ...replies.from,
    ...dedup.against,
    ...(tokenizer === undefined ? [] : [tokenizer]),
    ...(screen === undefined ? [] : [screen.file]),
  ]
  return [
    ...sources.map(({ split, hub, run, files }) => {
      const local = run === undefined ? files.map(shown) : [resolve(run)]
      const from = hub === undefined ? local : [hub]
      return say`reads for ${split}: ${listText(from)}`
    }),
    ...files.filter((path) => resolve(path) !== resolve(directory)).map((path) => say`reads ${resolve(path)}`),
    ...Object.entries(models).map(
      ([name, { endpoints }]) => say`calls for ${name}: ${listText(endpointNames(endpoints))}`,
    ),
  ]
}

function shown(pattern: string): string {
  return pattern.startsWith('!') ? pattern : resolve(pattern)
}
