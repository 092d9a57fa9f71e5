/** The files that a recipe names besides its sources: prompts, custom filters, benchmarks, classifier and tokenizer. */

import { withDecontamination } from '../run/decontamination/plan.js'
import { signaturePlan } from '../run/stages/prepare.js'
import { loadCustomFilter } from '../text/custom.js'
import { type PreparePlan, planPreparation } from '../text/plan.js'
import { withPromptHashes } from './prompt-checks.js'
import type { Recipe } from './schema.js'

/**
 * Reads and loads every file, without network.
 *
 * @returns how texts are prepared with them
 * @throws {RecipeError} a file cannot be read or used
 * @throws {CustomFilterError} a filter does not load
 */
export async function checkRecipeFiles(recipe: Recipe): Promise<PreparePlan> {
  withPromptHashes(recipe)
  const { dedup, ...text } = recipe.prepare
  const planned = await planPreparation(text, process.cwd(), signaturePlan(dedup.near))
  for (const filter of planned.filters) await loadCustomFilter(filter)
  return withDecontamination(planned, text.decontaminate, process.cwd())
}
