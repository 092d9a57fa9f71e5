/**
 * `kun-stream validate RECIPE`: checks a recipe without calling a server or reading the sources: its fields, and the files
 * that it names for prompts, filters, classifier and tokenizer.
 */
import type { Command } from 'commander'
import { RecipeError } from '../../errors.js'
import { say } from '../../language/say.js'
import type { Recipe } from '../../recipe/index.js'
import { addCommand } from '../command-summaries.js'
import { setOption } from '../recipe-options.js'
import { sayOnStderr, writeOut } from '../terminal/output.js'

interface ValidateFlags {
  readonly set: string[]
  readonly json?: boolean
}

export function registerValidate(program: Command): void {
  addCommand(program, 'validate')
    .argument('<recipe>', say`a YAML file; - reads standard input`)
    .addOption(setOption())
    .option('--json', say`print one JSON object`)
    .action(async (path: string, { set, json = false }: ValidateFlags) => {
      const { loadRecipe } = await import('../../recipe/index.js')
      try {
        const recipe = await loadRecipe(path, set)
        await checkFiles(recipe)
        const unknown = await unknownOf(recipe)
        if (!json) for (const { path: at, problem } of unknown) sayOnStderr(say`warning: ${at} ${problem}`)
        const warnings = unknown.map(({ path: at, placeholder, fields }) => ({ path: at, placeholder, fields }))
        writeOut(json ? `${JSON.stringify({ valid: true, problems: [], warnings })}\n` : say`${path} is valid\n`)
      } catch (error) {
        if (!json || !(error instanceof RecipeError)) throw error
        writeOut(`${JSON.stringify({ valid: false, problems: error.message.split('\n'), warnings: [] })}\n`)
        process.exitCode = error.exitCode
      }
    })
}

/** @throws {RecipeError} a prompt file, a filter, the classifier or the tokenizer cannot be used */
async function checkFiles(recipe: Recipe): Promise<void> {
  const { checkRecipeFiles } = await import('../../recipe/recipe-files.js')
  await checkRecipeFiles(recipe)
}

/** Returns the placeholders that are sent unchanged, which may be intended. */
async function unknownOf({ kun }: Recipe) {
  const { placeholderProblem, unknownPlaceholders } = await import('../../recipe/prompt-checks.js')
  const { pathText } = await import('../../recipe/document.js')
  return unknownPlaceholders(kun, true).map((unknown) => ({
    ...unknown,
    path: pathText(unknown.path),
    problem: placeholderProblem(unknown),
  }))
}
