/** All checks of `plan`, in the order in which a run would meet what they check. */
import { CustomFilterError, RecipeError } from '../../errors.js'
import { say } from '../../language/say.js'
import { pathText } from '../../recipe/document.js'
import type { Recipe } from '../../recipe/index.js'
import { placeholderProblem, unknownPlaceholders } from '../../recipe/prompt-checks.js'
import { checkRecipeFiles } from '../../recipe/recipe-files.js'
import { checkSources } from '../../recipe/recipe-sources.js'
import type { Shard } from '../../sources/index.js'
import type { Check } from './check.js'
import { diskCheck, hubChecks } from './place-checks.js'
import { serverChecks } from './server-checks.js'

/** Options for `planChecks`. */
interface PlanChecksOptions {
  readonly directory: string
  readonly shards: readonly Shard[]
  /** Skips what needs the network: servers and the repository that is published. */
  readonly offline: boolean
}

/** Returns the checks; one that fails does not keep the others from being made. */
export async function planChecks(recipe: Recipe, { directory, shards, offline }: PlanChecksOptions): Promise<Check[]> {
  const sizes = shards.map(({ sizeBytes }) => sizeBytes)
  const bytes = sizes.includes(null) ? null : sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
  return [
    ...promptChecks(recipe),
    ...(await fileChecks(recipe)),
    ...(await sourceChecks(recipe, shards)),
    ...(offline ? [] : await serverChecks(recipe)),
    await diskCheck(directory, null, bytes),
    ...(offline ? [] : await hubChecks(recipe)),
  ]
}

function promptChecks({ kun }: Recipe): Check[] {
  return unknownPlaceholders(kun, true).map((unknown): Check => {
    const subject = pathText(unknown.path)
    const facts = { placeholder: unknown.placeholder, fields: unknown.fields.join(', ') }
    const line = say`${subject} ${placeholderProblem(unknown)}`
    return { check: 'prompt', level: 'warn', subject, finding: 'unknown-placeholder', facts, line }
  })
}

async function fileChecks(recipe: Recipe): Promise<Check[]> {
  const { filters, tokenizer, screen, decontaminate } = recipe.prepare
  try {
    await checkRecipeFiles(recipe)
    if (filters.length === 0 && tokenizer === undefined && screen === undefined && decontaminate === undefined)
      return []
    const line = say`prepare: filters, tokenizer, classifier and benchmarks can be read`
    return [{ check: 'files', level: 'ok', subject: 'prepare', finding: 'readable', facts: {}, line }]
  } catch (error) {
    if (!(error instanceof RecipeError) && !(error instanceof CustomFilterError)) throw error
    return [{ check: 'files', level: 'fail', subject: 'prepare', finding: error.code, facts: {}, line: error.message }]
  }
}

async function sourceChecks({ sources }: Recipe, shards: readonly Shard[]): Promise<Check[]> {
  return (await checkSources(sources, shards)).map(({ index, looked, problem }): Check => {
    const subject = `sources[${index}]`
    const seen = looked.reduce((sum, each) => sum + each.seen, 0)
    const texts = looked.reduce((sum, each) => sum + each.texts, 0)
    const facts = { records: seen, texts, shard: looked[0]?.path ?? null }
    const check = (level: Check['level'], finding: string, line: string): Check => ({
      ...{ check: 'source', level, subject, finding, facts, line },
    })
    if (problem !== null) return check('fail', 'no-text', problem)
    if (looked.length === 0)
      return check('warn', 'not-looked-at', say`${subject}: standard input is read by the run only`)
    return texts * 2 < seen
      ? check(
          'warn',
          'few-texts',
          say`${subject}: only ${texts} of the first ${seen} records have a text: check the fields and the files`,
        )
      : check('ok', 'texts', say`${subject}: ${texts} of the first ${seen} records have a text`)
  })
}
