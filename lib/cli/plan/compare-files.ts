/** Loads two recipes, samples the sources of the first one, and compares. */
import { UsageError } from '../../errors.js'
import { say } from '../../language/say.js'
import { loadRecipe, type Recipe } from '../../recipe/index.js'
import { mustHaveTexts } from '../../recipe/recipe-sources.js'
import { settingsOf } from '../../recipe/run-settings.js'
import { type Comparison, compareRecipes } from './compare-recipes.js'
import { serverCount } from './predict.js'
import { sampleSources } from './sample-run.js'

interface CompareOptions {
  readonly number: number
  readonly set: readonly string[]
  readonly gpus?: number
  readonly gpuHourPrice?: number
}

/** @throws {UsageError} no record can be sampled */
export async function compareFiles(
  [fileA, fileB]: readonly [string, string],
  { number, set, gpus, gpuHourPrice }: CompareOptions,
  tell: (line: string) => void,
): Promise<Comparison> {
  const recipes = [await loadRecipe(fileA, set), await loadRecipe(fileB, set)] as const
  const { settings, close } = await settingsOf(recipes[0], recipes[0].output.dir, tell)
  try {
    await mustHaveTexts(recipes[0], settings.shards)
    const sources = await sampleSources(settings.shards, number)
    if (sources.every(({ records }) => records === 0)) {
      throw new UsageError(say`no record can be sampled from ${fileA}: standard input is read by a run only`)
    }
    const gpusOf = async (recipe: Recipe) => gpus ?? (await serverCount(recipe))
    const prices = {
      gpus: [await gpusOf(recipes[0]), await gpusOf(recipes[1])] as const,
      gpuHourPrice: gpuHourPrice ?? null,
    }
    return await compareRecipes(recipes, sources, prices, tell)
  } finally {
    await close()
  }
}
